// What may be a key.
import { AH_CACHE_KEY } from './errors.ts'
import { shown } from './shown.ts'

/**
 * Whether it is a key: all texts but the empty one are, character by character. Half of a surrogate pair has no UTF-8:
 * Redis would see U+FFFD, and two such keys would be one.
 */
export function isKey(key: unknown): key is string {
  return typeof key === 'string' && key !== '' && key.isWellFormed()
}

/** Throws `AH_CACHE_KEY` for what is no key. */
export function checkKey(key: unknown): asserts key is string {
  if (isKey(key)) return
  throw new AH_CACHE_KEY(`expected a key: a text that is not empty and well-formed, got ${shown(key)}`)
}

/** Throws `AH_CACHE_KEY` for what is not the beginning of keys; the empty text is that of all. */
export function checkKeyPrefix(prefix: unknown): asserts prefix is string {
  if (prefix === '' || isKey(prefix)) return
  throw new AH_CACHE_KEY(`expected the beginning of keys: a well-formed text, got ${shown(prefix)}`)
}
