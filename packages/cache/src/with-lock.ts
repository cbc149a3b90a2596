// Work under a lock: `withLock`.
import { checkCallOptions } from './call-options.ts'
import { checkDuration } from './duration.ts'
import { AH_CACHE_LOCKED, AH_CACHE_OPTIONS } from './errors.ts'
import { checkKey } from './key.ts'
import { LockHold } from './lock-hold.ts'
import { LockWait } from './lock-wait.ts'
import type { Scope } from './scope.ts'
import { shown } from './shown.ts'
import type { LockedRun, WithLockOptions } from './types.ts'

// Below this a renewal could not come in time.
const shortestMs = 30
const longestMs = 2 ** 31 - 1

/** Runs work while it holds the lock of a key. */
export class LockedRuns {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async withLock<T>(name: string, options: WithLockOptions, run: LockedRun<T>): Promise<T> {
    checkKey(name)
    checkCallOptions('withLock', options, ['ms', 'waitMs'])
    if (typeof run !== 'function') throw new AH_CACHE_OPTIONS(`withLock: expected a function to run, got ${shown(run)}`)
    const { ms = this.#scope.lockMs, waitMs = 0 } = options
    checkDuration('ms', ms)
    if (ms < shortestMs || ms > longestMs) {
      throw new AH_CACHE_OPTIONS(`withLock: expected ms from ${shortestMs} to 2^31 - 1, got ${ms}`)
    }
    if (waitMs !== 0) checkDuration('waitMs', waitMs)
    const hold = await this.#take(name, ms, waitMs)
    hold.start()
    try {
      const answer = await run(hold.signal, hold.token)
      // Its work may have met another's: whoever waits for it must not take it for done under the lock.
      hold.signal.throwIfAborted()
      return answer
    } finally {
      await hold.release()
    }
  }

  async #take(name: string, ms: number, waitMs: number): Promise<LockHold> {
    const wait = new LockWait(waitMs, this.#scope.lockRetryMs)
    for (;;) {
      const hold = await LockHold.take(this.#scope, name, ms)
      if (hold !== undefined) {
        this.#scope.counts.locked += 1
        return hold
      }
      if (!(await wait.again())) throw new AH_CACHE_LOCKED(shown(name))
    }
  }
}
