// Dumps that ActionHero wrote: one JSON object of Redis keys and what lay under them.
import { decodeEntry } from '../entry.ts'
import { fromJson } from '../json-text.ts'
import { isKey } from '../key.ts'
import type { DumpedValue } from './format.ts'

// What ActionHero puts before a key unless it is told otherwise.
const usualPrefix = 'actionhero:cache:'

/**
 * The values in the text, or undefined if it is no such dump: every key must begin with one of the prefixes, and every
 * value be one. ActionHero notes no ends, and null for what was gone before it was read.
 */
export function readActionHeroDump(text: string, ownPrefix: string): DumpedValue[] | undefined {
  const parsed = fromJson(text)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
  const entries = Object.entries(parsed)
  // An empty object is also what many other programs write, and reading it would clear the cache.
  if (entries.length === 0) return undefined
  const values = entries.filter(([, value]) => value !== null).map(([key, value]) => readValue(key, value, ownPrefix))
  return values.every((value) => value !== undefined) ? values : undefined
}

function readValue(fullKey: string, value: unknown, ownPrefix: string): DumpedValue | undefined {
  const prefix = [ownPrefix, usualPrefix].find((candidate) => fullKey.startsWith(candidate))
  if (prefix === undefined) return undefined
  const key = fullKey.slice(prefix.length)
  if (!isKey(key) || typeof value !== 'string' || decodeEntry(value) === undefined) return undefined
  return { key, value }
}
