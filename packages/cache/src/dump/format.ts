// A dump's lines: a header, one line for each value or part of a list, and a trailer with count and checksum.
import { fromJson } from '../json-text.ts'
import { isKey } from '../key.ts'

/** A value. */
export interface DumpedValue {
  readonly key: string
  readonly value: string
  /** ms since 1970 by Redis; absent for what has no end. */
  readonly expiresAt?: number
}

/** A list, or a part of a long one: its parts follow each other. */
export interface DumpedList {
  readonly key: string
  readonly list: readonly string[]
  /** How many elements the parts before held. */
  readonly from: number
  /** Whether another part follows. */
  readonly more: boolean
  readonly expiresAt?: number
}

export type DumpedKey = DumpedValue | DumpedList

/** The last line. */
export interface DumpTrailer {
  readonly count: number
  /** Of all bytes before this line, in hexadecimal. */
  readonly sha256: string
}

const format = 'fastify-ah-cache dump'
const version = 1

export function headerLine(writtenAt: number): string {
  return `${JSON.stringify({ format, version, writtenAt })}\n`
}

export function keyLine(key: DumpedKey): string {
  return `${JSON.stringify(key)}\n`
}

export function trailerLine(trailer: DumpTrailer): string {
  return `${JSON.stringify(trailer)}\n`
}

/** `own`, the version of a newer release, or undefined for a line that is no header of ours. */
export function readHeader(line: Buffer): 'own' | number | undefined {
  const header = objectIn(line)
  if (header?.['format'] !== format || typeof header['version'] !== 'number') return undefined
  return header['version'] === version ? 'own' : header['version']
}

/** The key in the line, or undefined if it holds none. */
export function readKey(line: Buffer): DumpedKey | undefined {
  const parsed = objectIn(line)
  if (parsed === undefined || !isKey(parsed['key'])) return undefined
  const { value, list, from, more, expiresAt } = parsed
  if (expiresAt !== undefined && !(Number.isSafeInteger(expiresAt) && Number(expiresAt) > 0)) return undefined
  if (typeof value === 'string') return parsed as unknown as DumpedValue
  const isList = Array.isArray(list) && list.every((element) => typeof element === 'string')
  const isPart = Number.isSafeInteger(from) && Number(from) >= 0 && typeof more === 'boolean'
  return isList && isPart ? (parsed as unknown as DumpedList) : undefined
}

/** The trailer in the line, or undefined if it is none. */
export function readTrailer(line: Buffer): DumpTrailer | undefined {
  const { count, sha256 } = objectIn(line) ?? {}
  return typeof count === 'number' && typeof sha256 === 'string' ? { count, sha256 } : undefined
}

function objectIn(line: Buffer): Record<string, unknown> | undefined {
  const parsed = fromJson(line.toString())
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined
}
