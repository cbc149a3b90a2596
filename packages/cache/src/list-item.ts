// The bytes of a list's element, as ActionHero 29 writes and reads them: `{"data":…}`.
import { fromJson, toJson } from './json-text.ts'

/** An element of a list. */
export interface ListItem {
  readonly data: unknown
}

/** The bytes for an element; throws `AH_CACHE_VALUE`. */
export function encodeItem(data: unknown): string {
  return `{"data":${toJson(data)}}`
}

/** The element in the bytes, or undefined if they hold none. */
export function decodeItem(bytes: string): ListItem | undefined {
  const parsed = fromJson(bytes)
  return typeof parsed === 'object' && parsed !== null && Object.hasOwn(parsed, 'data')
    ? (parsed as ListItem)
    : undefined
}
