// What may be a duration: a whole number of milliseconds that Redis takes and JavaScript does not round.
import { AH_CACHE_DURATION } from './errors.ts'
import { shown } from './shown.ts'
import type { Retry } from './types.ts'

/** Throws `AH_CACHE_DURATION` for what is no duration; `name` is what the caller calls it. */
export function checkDuration(name: string, ms: unknown): asserts ms is number {
  if (Number.isSafeInteger(ms) && (ms as number) > 0) return
  throw new AH_CACHE_DURATION(`${name}: expected a whole number of milliseconds from 1 to 2^53 - 1, got ${shown(ms)}`)
}

/** The duration, or undefined for none; throws `AH_CACHE_DURATION`. */
export function optionalDuration(name: string, ms: unknown): number | undefined {
  if (ms === undefined || ms === null) return undefined
  checkDuration(name, ms)
  return ms
}

/** How many ms to wait for a lock; throws `AH_CACHE_DURATION`. A computed wait may have come down to 0. */
export function retryMs(retry: Retry | undefined, lockMs: number): number {
  if (retry === undefined || retry === false || retry === 0) return 0
  if (retry === true) return lockMs
  checkDuration('retry', retry)
  return retry
}
