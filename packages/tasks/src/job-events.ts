// Owns what is told of jobs, to listeners and to the log.
import { EventEmitter } from 'node:events'
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import type { Outcome } from './perform.ts'
import type { Ending, Work } from './work.ts'

/** What a listener hears of a job. */
export interface JobEvent {
  readonly task: string
  readonly queue: string
  readonly id: string | undefined
  readonly args: readonly unknown[]
  readonly attempt: number
  /** How long it ran, in ms; 0 for `start`. */
  readonly durationMs: number
  /** Of `success`. */
  readonly result?: unknown
  /** Of all that did not succeed. */
  readonly error?: Error
}

/** `start` when a run begins; else how it ended: see the README. */
export type JobEventName = 'start' | Ending

export class JobEvents {
  readonly #emitter = new EventEmitter()
  readonly #log: FastifyBaseLogger

  constructor(log: FastifyBaseLogger) {
    this.#log = log
    // As many as a program likes.
    this.#emitter.setMaxListeners(0)
  }

  /** Adds a listener; answers how to take it back. */
  on(name: JobEventName, listener: (event: JobEvent) => void): () => void {
    this.#emitter.on(name, listener)
    return () => this.#emitter.off(name, listener)
  }

  start(work: Work): void {
    if (this.#emitter.listenerCount('start') > 0) this.#emit('start', { ...eventOf(work), durationMs: 0 })
  }

  end(ending: Ending, work: Work, outcome: Outcome): void {
    if (ending === 'failure' || ending === 'retry' || ending === 'lost') this.#logEnding(ending, work, outcome)
    if (this.#emitter.listenerCount(ending) === 0) return
    const more =
      outcome.kind === 'success'
        ? { result: outcome.result }
        : { error: outcome.kind === 'failure' ? toError(outcome.error) : outcome.reason }
    this.#emit(ending, { ...eventOf(work), durationMs: Math.round(performance.now() - work.startedAt), ...more })
  }

  /** Redis could not be told how a job ended. */
  error(work: Work, error: Error): void {
    this.#log.error(
      { err: error, task: work.taskName, queue: work.claimed.queue },
      'the end of a job could not be recorded: it will run again',
    )
  }

  #logEnding(ending: Ending, work: Work, outcome: Outcome): void {
    const fields = { task: work.taskName, queue: work.claimed.queue, job: work.meta?.id, attempt: work.attempt }
    if (ending === 'lost') {
      this.#log.warn(fields, 'this process was taken for dead, or the job was taken away: another has it now')
      return
    }
    const err = outcome.kind === 'failure' ? toError(outcome.error) : undefined
    if (ending === 'retry') this.#log.warn({ ...fields, err }, 'a job failed and will be tried again')
    else this.#log.error({ ...fields, err }, 'a job failed')
  }

  #emit(name: JobEventName, event: JobEvent): void {
    try {
      this.#emitter.emit(name, event)
    } catch (thrown) {
      this.#log.error({ err: toError(thrown), event: name }, 'a listener of job events threw')
    }
  }
}

function eventOf(work: Work): Omit<JobEvent, 'durationMs'> {
  return {
    task: work.taskName,
    queue: work.claimed.queue,
    id: work.meta?.id,
    args: work.parsed?.args ?? [],
    attempt: work.attempt,
  }
}
