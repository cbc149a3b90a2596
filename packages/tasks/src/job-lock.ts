// Owns the lock around a run: held while the job runs, let go by its holder alone, free once the holder's process is gone.
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import type { PluginLocks } from './store/plugin-locks.ts'

/** Who holds it, and for how long at most. */
export interface JobLockOptions {
  readonly locks: PluginLocks
  readonly log: FastifyBaseLogger
  readonly name: string
  readonly claim: number
  /** Longest time that it is held, in ms: `lockTimeout`. */
  readonly mostMs: number
  readonly leaseMs: number
}

export class JobLock {
  readonly #options: JobLockOptions
  /** By the monotonic clock: the host's may be set while the job runs. */
  readonly #endsAt: number
  /** What other programs of Resque's read: part of the lock's value, so it stays what it was. */
  readonly #endSecond: number
  #renewal: NodeJS.Timeout | undefined

  constructor(options: JobLockOptions) {
    this.#options = options
    this.#endsAt = performance.now() + options.mostMs
    this.#endSecond = Math.round((Date.now() + options.mostMs) / 1_000)
  }

  /** Whether it is ours now; then it stays so until {@link free}, or its longest time is over. */
  async take(): Promise<boolean> {
    if (!(await this.#take())) return false
    this.#renewal = setInterval(() => void this.#renew(), this.#options.leaseMs / 3)
    this.#renewal.unref()
    return true
  }

  /** Never rejects. */
  async free(): Promise<void> {
    clearInterval(this.#renewal)
    const { locks, name, claim, log } = this.#options
    try {
      await locks.free(name, claim)
    } catch (thrown) {
      // The job's end counts all the same; nobody renews the lock any more.
      log.warn({ err: toError(thrown), lock: name }, 'the lock of a job could not be given back: it ends by itself')
    }
  }

  #take(): Promise<boolean> {
    const { locks, name, claim, leaseMs } = this.#options
    const left = Math.max(1, Math.ceil(Math.min(leaseMs, this.#endsAt - performance.now())))
    return locks.take(name, claim, this.#endSecond, left)
  }

  async #renew(): Promise<void> {
    if (performance.now() >= this.#endsAt) {
      clearInterval(this.#renewal)
      return
    }
    try {
      await this.#take()
    } catch (thrown) {
      // The next one may come through before the lock ends; if none does, another job may run beside this one.
      this.#options.log.warn(
        { err: toError(thrown), lock: this.#options.name },
        'the lock of a job could not be renewed',
      )
    }
  }
}
