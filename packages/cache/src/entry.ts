// The bytes under a key, as ActionHero 29 writes and reads them: `{"value":…,"createdAt":ms}`.
import { fromJson, toJson } from './json-text.ts'

/** A stored value. */
export interface Entry {
  readonly value: unknown
  /** ms since 1970. */
  readonly createdAt: number
  /** ms since 1970: from then on the value is gone, whatever Redis still holds. */
  readonly expiresAt?: number
}

/** The bytes for a value; throws `AH_CACHE_VALUE`. */
export function encodeEntry(value: unknown, createdAt: number): string {
  // Put together by hand: the value is turned into text once, and its own error names it.
  return `{"value":${toJson(value)},"createdAt":${createdAt}}`
}

/** The entry in the bytes, or undefined if they hold none. Further members are left to newer releases. */
export function decodeEntry(bytes: string): Entry | undefined {
  const parsed = fromJson(bytes)
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { createdAt, expiresAt } = parsed as Record<string, unknown>
  if (typeof createdAt !== 'number' || !Object.hasOwn(parsed, 'value')) return undefined
  if (expiresAt !== undefined && typeof expiresAt !== 'number') return undefined
  return parsed as Entry
}
