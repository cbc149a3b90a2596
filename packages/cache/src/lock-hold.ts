// A lock that is held while work runs: renewed, and known to be lost as soon as it may be.
import { Loop } from 'fastify-ah-kit'
import { AH_CACHE_LOCK_LOST } from './errors.ts'
import { ownWrite } from './local-tier.ts'
import type { Scope } from './scope.ts'
import { dropLock } from './scripts/drop-lock.ts'
import { renewLock } from './scripts/renew-lock.ts'
import { takeFencedLock } from './scripts/take-fenced-lock.ts'
import { shown } from './shown.ts'

/**
 * | state | moves to | when |
 * |---|---|---|
 * | held | held | a renewal succeeded: `ms` more from when it was sent |
 * | held | lost | `ms` passed since the last renewal that succeeded was sent; or Redis says that the lock is another's |
 * | held | released | the work is done |
 *
 * The holder's own clock says when it must take the lock for lost, and it is early: Redis began to count later.
 */
export class LockHold {
  readonly token: number
  readonly #scope: Scope
  readonly #name: string
  readonly #call: string
  readonly #ms: number
  readonly #lost = new AbortController()
  readonly #loop: Loop
  #deadline: NodeJS.Timeout | undefined
  #isNew = true

  private constructor(scope: Scope, name: string, held: { call: string; token: number; ms: number; sentAt: number }) {
    this.#scope = scope
    this.#name = name
    this.#call = held.call
    this.#ms = held.ms
    this.token = held.token
    this.#heldFrom(held.sentAt)
    this.#loop = new Loop({
      name: `lock ${name}`,
      step: () => this.#renew(),
      // A renewal that fails is tried again; that it took too long is what counts, and is seen by the deadline.
      onError: () => undefined,
      minBackoffMs: Math.min(100, this.#ms / 10),
      maxBackoffMs: this.#ms / 3,
    })
  }

  /** Takes the lock, if nobody holds it. */
  static async take(scope: Scope, name: string, ms: number): Promise<LockHold | undefined> {
    const { traffic, keys, local, changes, owner, origin, nextCall } = scope
    const [lock, sentAt] = [keys.lock(name), performance.now()]
    const call = `${origin}:${nextCall()}`
    const found = [lock, keys.lockCall(name), keys.fence(name)]
    const take = () => traffic.run<string | null>(takeFencedLock, found, [owner, ms, call])
    const token = await ownWrite(local, [lock], () => changes.after(keys.value(name), take))
    return token === null ? undefined : new LockHold(scope, name, { call, token: Number(token), ms, sentAt })
  }

  /** Aborted when the lock is lost; the reason is an `AH_CACHE_LOCK_LOST`. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** Begins to renew. */
  start(): void {
    this.#loop.start()
  }

  /** Ends it: the lock is free when this resolves, unless it was lost or Redis is away. Never rejects. */
  async release(): Promise<void> {
    const { traffic, keys, local, changes, counts, owner } = this.#scope
    clearTimeout(this.#deadline)
    await this.#loop.stop()
    const lock = keys.lock(this.#name)
    try {
      const drop = () => traffic.run(dropLock, [lock, keys.lockCall(this.#name)], [owner, this.#call])
      await ownWrite(local, [lock], () => changes.after(keys.value(this.#name), drop))
    } catch {
      // The work is done and has its outcome; the lock ends by itself.
      counts.locksLeft += 1
    }
  }

  async #renew(): Promise<number> {
    if (this.signal.aborted) return Number.POSITIVE_INFINITY
    if (this.#isNew) {
      this.#isNew = false
      return this.#ms / 3
    }
    const { traffic, keys, owner } = this.#scope
    const sentAt = performance.now()
    const found = [keys.lock(this.#name), keys.lockCall(this.#name), keys.fence(this.#name)]
    const answer = await traffic.run<number>(renewLock, found, [owner, this.#ms, this.#call])
    if (answer === 1) this.#heldFrom(sentAt)
    else this.#lose('it ended, or was given up or taken away')
    return this.#ms / 3
  }

  #heldFrom(sentAt: number): void {
    if (this.signal.aborted) return
    clearTimeout(this.#deadline)
    const left = sentAt + this.#ms - performance.now()
    this.#deadline = setTimeout(() => this.#lose(`it could not be renewed within ${this.#ms} ms`), Math.max(0, left))
  }

  #lose(why: string): void {
    if (this.signal.aborted) return
    clearTimeout(this.#deadline)
    this.#scope.counts.locksLost += 1
    this.#lost.abort(new AH_CACHE_LOCK_LOST(shown(this.#name), why))
  }
}
