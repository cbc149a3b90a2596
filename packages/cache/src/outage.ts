// Answers that did not come, and what that means for who waits behind them.
import { AH_KIT_REDIS_DOWN, AH_KIT_REDIS_TIMEOUT, AH_KIT_REDIS_UNCERTAIN } from 'fastify-ah-kit/redis'

const outages = [AH_KIT_REDIS_DOWN, AH_KIT_REDIS_TIMEOUT, AH_KIT_REDIS_UNCERTAIN]

/** Whether it says that Redis did not answer in all the time that a call has. */
function isOutage(error: unknown): error is Error {
  return outages.some((outage) => error instanceof outage)
}

/**
 * Calls on a key that wait for each other must not add up their times: with Redis away, the tenth would be told after
 * fifty seconds. So what was waiting when an answer failed to come is told so at once, and never sent.
 */
export class Outage {
  #at = Number.NEGATIVE_INFINITY
  #error: Error | undefined

  /** Takes note, if it is one. */
  note(error: unknown): void {
    if (!isOutage(error)) return
    this.#at = performance.now()
    this.#error = error
  }

  /** The error for a call that was made at this time and has not left; undefined if nothing happened since. */
  since(askedAt: number): Error | undefined {
    if (askedAt > this.#at) return undefined
    return new AH_KIT_REDIS_DOWN('a call that waited for another one on its key', { cause: this.#error })
  }
}
