// Owns a job in hand: its signal, and the promise that it was given up. Knows no Redis.
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Carrier } from 'fastify-ah-kit'
import type { JobContext } from './types.ts'

/** What a job is made of. */
export interface JobOptions {
  readonly app: FastifyInstance
  readonly id: string | undefined
  readonly attempt: number
  readonly queue: string
  readonly args: readonly unknown[]
  readonly recovered: boolean
  readonly carrier?: Carrier | undefined
  readonly task: string
  readonly progress: (value: unknown) => Promise<void>
}

/** The job as `run` sees it. The signal and the logger are made when they are asked for: most jobs never do. */
export class Job implements JobContext {
  readonly app: FastifyInstance
  readonly id: string | undefined
  readonly attempt: number
  readonly queue: string
  readonly args: readonly unknown[]
  readonly recovered: boolean
  readonly progress: (value: unknown) => Promise<void>
  readonly #task: string
  readonly #carrier: Carrier | undefined
  #controller: AbortController | undefined
  #log: FastifyBaseLogger | undefined
  #reason: Error | undefined
  #giveUp: ((reason: Error) => void) | undefined

  constructor({ app, id, attempt, queue, args, recovered, carrier, task, progress }: JobOptions) {
    this.app = app
    this.id = id
    this.attempt = attempt
    this.queue = queue
    this.args = args
    this.recovered = recovered
    this.progress = progress
    this.#task = task
    this.#carrier = carrier
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason !== undefined && !this.#controller.signal.aborted) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  get log(): FastifyBaseLogger {
    if (this.#log !== undefined) return this.#log
    const reqId = this.#carrier?.['x-request-id']
    this.#log = this.app.log.child({
      task: this.#task,
      queue: this.queue,
      ...(this.id !== undefined && { job: this.id }),
      // Of the request in which it was enqueued, as Fastify's own lines have it.
      ...(reqId !== undefined && { reqId }),
    })
    return this.#log
  }

  /** Why it was given up, if it was. */
  get abortReason(): Error | undefined {
    return this.#reason
  }

  /** Aborts the signal and ends the wait for it. Only the first reason counts. */
  abort(reason: Error): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
    this.#giveUp?.(reason)
  }

  /** Has `listener` called when it is given up, at once if it was. */
  onAbort(listener: (reason: Error) => void): void {
    if (this.#reason !== undefined) listener(this.#reason)
    else this.#giveUp = listener
  }
}
