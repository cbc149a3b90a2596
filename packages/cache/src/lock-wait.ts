// Waiting for a lock that somebody else holds.
import { setTimeout as sleep } from 'node:timers/promises'

/** A wait with an end: `while (isLocked) if (!(await wait.again())) give up`. */
export class LockWait {
  readonly #deadline: number
  readonly #pauseMs: number

  constructor(waitMs: number, pauseMs: number) {
    this.#deadline = performance.now() + waitMs
    this.#pauseMs = pauseMs
  }

  /** Pauses and answers true, or false at once when the time is over. The last look comes at the very end. */
  async again(): Promise<boolean> {
    const remaining = this.#deadline - performance.now()
    if (remaining <= 0) return false
    // Spread, so that those who wait for one lock do not all ask in the same instant.
    await sleep(Math.min(remaining, this.#pauseMs * (0.5 + Math.random())))
    return true
  }
}
