// Owns waiting for a condition: the one way in which tests wait.
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

/** A value of `T` that is not falsy. */
export type Truthy<T> = Exclude<T, false | null | undefined | 0 | '' | 0n>

/** How long and for what {@link until} waits. */
export interface UntilOptions {
  /** After this many ms it gives up. Default 10 000. */
  deadlineMs?: number
  /** Pause between two looks in ms. Default 20. */
  everyMs?: number
  /** What is waited for, in words that make the failure readable. Default: the source of the condition. */
  what?: string
}

/**
 * Asks `condition` again and again until it answers something truthy, and returns that.
 * An error that it throws counts as "not yet". A condition that never settles is given up at the deadline too.
 *
 * @throws Error at the deadline: names `what`, the last value and the last error (as `cause`).
 */
export async function until<T>(condition: () => T | Promise<T>, options: UntilOptions = {}): Promise<Truthy<T>> {
  const { deadlineMs = 10_000, everyMs = 20, what = condition.toString() } = options
  // The monotonic clock: shiftDate moves Date.
  const deadline = performance.now() + deadlineMs
  const giveUp = new AbortController()
  const expired = sleep(deadlineMs, 'expired' as const, { signal: giveUp.signal })
  let lastValue = 'none yet'
  let lastError: unknown

  try {
    for (;;) {
      const look = (async () => ({ value: await condition() }))()
      try {
        const answer = await Promise.race([look, expired])
        if (answer === 'expired') break
        if (answer.value) return answer.value as Truthy<T>
        lastValue = inspect(answer.value, { depth: 4 })
      } catch (error) {
        lastError = error
      }
      if (performance.now() >= deadline) break
      await sleep(everyMs)
    }
  } finally {
    expired.catch(ignoreAbort)
    giveUp.abort()
  }

  const errorPart = lastError === undefined ? '' : `; last error: ${inspect(lastError, { depth: 1 })}`
  throw new Error(`Not within ${deadlineMs} ms: ${what}. Last value: ${lastValue}${errorPart}`, { cause: lastError })
}

/** The deadline's timer is given up on purpose when the answer came first. */
function ignoreAbort(error: Error): void {
  if (error.name !== 'AbortError') throw error
}
