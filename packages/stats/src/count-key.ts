// What may be counted under.
import { AH_STATS_KEY } from './errors.ts'
import { shown } from './shown.ts'

/** Most characters of a key: with the cap on keys it bounds the memory that waits for Redis. */
const longestKey = 1024

/**
 * Throws `AH_STATS_KEY` for what is no key. Half of a surrogate pair has no UTF-8: Redis would see U+FFFD, and two such
 * keys would be one.
 */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key === 'string' && key !== '' && key.length <= longestKey && key.isWellFormed()) return
  throw new AH_STATS_KEY(`expected a key: a well-formed text of 1 to ${longestKey} characters, got ${shown(key)}`)
}
