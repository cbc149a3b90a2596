// What was asked of the server and has no answer yet, and what waits for a connection to be asked.
import { failure, RoomsError } from './rooms-error.ts'
import type { RequestOptions } from './types.ts'

/** A message of the protocol. */
export type Message = Record<string, unknown>

interface Request {
  readonly text: string
  readonly take: (reply: Message) => void
  readonly give: (error: unknown) => void
}

/** What they may take. */
export interface RequestsOptions {
  readonly timeoutMs: number
  readonly maxQueued: number
  /** What there is to say of the connection when an answer did not come. */
  readonly why: () => string
}

/** Every one ends: by its answer, its time, its signal, or the end of the connection. */
export class Requests {
  readonly #options: RequestsOptions
  readonly #open = new Map<unknown, Request>()
  readonly #queue = new Set<number>()
  #asked = 0

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** `send` is undefined while there is no connection. */
  ask(
    message: Message,
    { timeoutMs = this.#options.timeoutMs, signal }: RequestOptions,
    send: ((text: string) => void) | undefined,
  ): Promise<Message> {
    return new Promise((resolve, reject) => {
      const { maxQueued, why } = this.#options
      if (send === undefined && this.#queue.size >= maxQueued)
        throw failure('OFFLINE', `too much waits already${why()}`)
      signal?.throwIfAborted()
      this.#asked += 1
      const messageId = this.#asked
      const text = JSON.stringify({ ...message, messageId })
      const timer = setTimeout(() => give(failure('TIMEOUT', `no answer after ${timeoutMs} ms${why()}`)), timeoutMs)
      const abort = (): void => give(signal?.reason)
      const settle = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.#open.delete(messageId)
        this.#queue.delete(messageId)
      }
      const give = (error: unknown): void => {
        settle()
        reject(error)
      }
      const take = (reply: Message): void => {
        settle()
        if (reply['error'] === undefined) resolve(reply)
        else reject(new RoomsError(String(reply['code'] ?? reply['statusCode'] ?? ''), String(reply['error'])))
      }
      signal?.addEventListener('abort', abort)
      this.#open.set(messageId, { text, take, give })
      if (send === undefined) this.#queue.add(messageId)
      else send(text)
    })
  }

  answer(reply: Message): void {
    this.#open.get(reply['messageId'])?.take(reply)
  }

  /** There is a connection. */
  flush(send: (text: string) => void): void {
    for (const id of this.#queue) send(this.#open.get(id)?.text ?? '')
    this.#queue.clear()
  }

  /** The connection is gone; what waits for one goes on waiting. */
  lose(): void {
    const error = failure('DISCONNECTED', 'the connection broke before the answer: perhaps it is done')
    for (const [id, { give }] of this.#open) if (!this.#queue.has(id as number)) give(error)
  }

  end(error: Error): void {
    for (const { give } of this.#open.values()) give(error)
  }
}
