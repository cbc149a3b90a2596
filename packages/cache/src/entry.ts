// The bytes under a key, as ActionHero 29 writes and reads them: `{"value":…,"createdAt":ms}`, and what we add to it.
import { fromJson } from './json-text.ts'

/** A tag and the version that it had when the value was saved. */
export type TagVersion = readonly [tag: string, version: number]

/** A stored value. */
export interface Entry extends EntryTimes {
  readonly value: unknown
  /** ms since 1970. */
  readonly createdAt: number
  /** The value is gone if one of them has another version by now. */
  readonly tags?: readonly TagVersion[]
}

/** When a value grows old and ends. */
export interface EntryTimes {
  /** ms since 1970: from then on it is old; only `getOrSet` may still hand it out. */
  readonly staleAt?: number
  /** ms since 1970: from then on the value is gone, whatever Redis still holds. */
  readonly expiresAt?: number
}

/** What an entry holds besides its value. */
export interface EntryExtras extends EntryTimes {
  readonly tags?: readonly TagVersion[]
}

/** The bytes for a value that is JSON text already. */
export function entryOf(json: string, createdAt: number, extras?: EntryExtras): string {
  // Put together by hand: the value is turned into text once, and its own error names it.
  const entry = `{"value":${json},"createdAt":${createdAt}`
  if (extras === undefined) return `${entry}}`
  const { staleAt, expiresAt, tags } = extras
  const times = `${staleAt === undefined ? '' : `,"staleAt":${staleAt}`}${expiresAt === undefined ? '' : `,"expiresAt":${expiresAt}`}`
  return `${entry}${times}${tags === undefined || tags.length === 0 ? '' : `,"tags":${JSON.stringify(tags)}`}}`
}

/** The entry in the bytes, or undefined if they hold none. Further members are left to newer releases. */
export function decodeEntry(bytes: string): Entry | undefined {
  const parsed = fromJson(bytes)
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { createdAt, staleAt, expiresAt, tags } = parsed as Record<string, unknown>
  if (typeof createdAt !== 'number' || !Object.hasOwn(parsed, 'value')) return undefined
  if (staleAt !== undefined && typeof staleAt !== 'number') return undefined
  if (expiresAt !== undefined && typeof expiresAt !== 'number') return undefined
  if (tags !== undefined && !(Array.isArray(tags) && tags.every(isTagVersion))) return undefined
  return parsed as Entry
}

/** Whether it has ended, by this host's clock. */
export function isOver({ expiresAt }: Entry): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now()
}

/** Whether it is old, by this host's clock. */
export function isStale({ staleAt }: Entry): boolean {
  return staleAt !== undefined && staleAt <= Date.now()
}

function isTagVersion(tag: unknown): boolean {
  return Array.isArray(tag) && typeof tag[0] === 'string' && typeof tag[1] === 'number'
}
