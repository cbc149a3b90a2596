// One command on its way: it waits for the connection, is sent, sent again where that cannot harm, and has a deadline.
import { AH_KIT_REDIS_DOWN, AH_KIT_REDIS_REFUSED, AH_KIT_REDIS_TIMEOUT, AH_KIT_REDIS_UNCERTAIN } from './errors.ts'
import { classify, withoutArguments } from './failure.ts'
import type { OpenCall, OpenCalls } from './open-calls.ts'
import type { RedisClient } from './target.ts'

/** What a call needs of its connection. */
export interface CallContext {
  readonly client: RedisClient
  readonly deadlineMs: number
  readonly open: OpenCalls
  /** The connection was closed, or its client gave up for good. */
  readonly isOver: () => boolean
  /** A deadline passed without an answer: the connection looks after itself. */
  readonly onSilence: () => void
  /** The server is no master any more: likewise. */
  readonly onDemoted: () => void
}

/** What is sent, and what it means if nothing comes back. */
export interface Sendable<T> {
  /** For messages: the command's or script's name. */
  readonly name: string
  readonly isWrite: boolean
  /** Hands it to ioredis. Called again after a cut: it must not harm if Redis sees it twice. */
  send(client: RedisClient): Promise<T>
  /** Hands it over in another form, when the server answered that it does not know the script. */
  teach?(client: RedisClient): Promise<T>
  /** How long it may take, in ms, if not as long as the connection's commands. */
  readonly withinMs?: number
}

// Between two tries of a command that Redis could not do just now.
const retryMs = 50

/**
 * | state | moves to | when |
 * |---|---|---|
 * | waiting | sent | the client is ready: never before, so that what waits here was surely not applied |
 * | sent | done | an answer came |
 * | sent | pausing | the connection broke, or Redis answered "not now" |
 * | pausing | sent, waiting | after 50 ms: a client that fails every command at once must not spin |
 * | any | done | the deadline, or the connection's end: DOWN if surely not applied, else TIMEOUT for a read, UNCERTAIN for a write |
 */
export class Call<T> implements OpenCall {
  readonly #context: CallContext
  readonly #what: Sendable<T>
  readonly #resolve: (answer: T) => void
  readonly #reject: (error: Error) => void
  readonly #startedAt = performance.now()
  readonly expiresAt: number
  place = 0
  number = 0
  #pause: NodeJS.Timeout | undefined
  #isWaiting = false
  #isOut = false
  /** It was sent, and the connection broke before an answer. */
  #isInDoubt = false
  #lastError: Error | undefined
  #isDone = false

  private constructor(
    context: CallContext,
    what: Sendable<T>,
    resolve: (answer: T) => void,
    reject: (error: Error) => void,
  ) {
    this.#context = context
    this.#what = what
    this.#resolve = resolve
    this.#reject = reject
    this.expiresAt = this.#startedAt + (what.withinMs ?? context.deadlineMs)
    context.open.add(this)
  }

  /** Sends it now, or as soon as the client is ready. */
  static make<T>(context: CallContext, what: Sendable<T>): Promise<T> {
    return new Promise((resolve, reject) => new Call(context, what, resolve, reject).#send())
  }

  resume(): void {
    if (this.#isWaiting) this.#send()
  }

  expire(): void {
    const isOut = this.#isOut
    this.end()
    if (isOut) this.#context.onSilence()
  }

  end(): void {
    this.#fail(this.#unanswered())
  }

  #send(): void {
    const { client, isOver } = this.#context
    if (isOver()) {
      this.end()
      return
    }
    this.#isWaiting = client.status !== 'ready'
    if (this.#isWaiting) return
    this.#isOut = true
    try {
      this.#what.send(client).then(this.#succeed, this.#consider)
    } catch (thrown) {
      this.#fail(thrown as Error)
    }
  }

  readonly #succeed = (answer: T): void => {
    if (this.#isDone) return
    this.#finish()
    this.#resolve(answer)
  }

  readonly #consider = (thrown: Error): void => {
    if (this.#isDone) return
    const error = withoutArguments(thrown)
    const failure = classify(thrown)
    this.#isOut = false
    this.#lastError = error
    if (failure === 'no-script' && this.#what.teach !== undefined) {
      this.#isOut = true
      this.#what.teach(this.#context.client).then(this.#succeed, this.#consider)
      return
    }
    switch (failure) {
      case 'no-script':
      case 'refused':
        this.#fail(new AH_KIT_REDIS_REFUSED(this.#what.name, error.message, { cause: error }))
        return
      case 'silent':
      case 'stale':
        this.#isInDoubt = true
        this.end()
        if (failure === 'silent') this.#context.onSilence()
        return
      case 'disconnected':
        this.#isInDoubt = true
        break
      case 'demoted':
        this.#context.onDemoted()
        break
    }
    this.#pause = setTimeout(() => this.#send(), retryMs)
  }

  /** The error for a call that has no answer. */
  #unanswered(): Error {
    const { name, isWrite } = this.#what
    const options = { cause: this.#lastError }
    if (!this.#isOut && !this.#isInDoubt) return new AH_KIT_REDIS_DOWN(name, options)
    const ms = Math.round(performance.now() - this.#startedAt)
    return isWrite ? new AH_KIT_REDIS_UNCERTAIN(name, ms, options) : new AH_KIT_REDIS_TIMEOUT(name, ms, options)
  }

  #fail(error: Error): void {
    this.#finish()
    this.#reject(error)
  }

  #finish(): void {
    this.#isDone = true
    this.#context.open.remove(this)
    if (this.#pause !== undefined) clearTimeout(this.#pause)
  }
}
