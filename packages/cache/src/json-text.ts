// Values as JSON text: refused before they are stored if they would not come back, read without trusting them.
import { types } from 'node:util'
import { toError } from 'fastify-ah-kit'
import { safeParse } from 'secure-json-parse'
import { AH_CACHE_VALUE } from './errors.ts'
import { shown } from './shown.ts'

/** The value as JSON. Throws `AH_CACHE_VALUE` for what JSON cannot hold or would quietly turn into something else. */
export function toJson(value: unknown): string {
  let reason: string | undefined
  let json: string | undefined
  try {
    reason = whyNotJson(value)
    if (reason === undefined) json = JSON.stringify(value)
  } catch (cause) {
    throw refusal(value, toError(cause).message.split('\n', 1)[0] ?? '', cause)
  }
  if (reason !== undefined) throw refusal(value, reason)
  if (json === undefined) throw refusal(value, 'its toJSON() answers nothing')
  // NaN, Infinity, an invalid Date.
  if (json === 'null' && value !== null) throw refusal(value, 'it would be read as null')
  if (!isSafe(json)) throw refusal(value, 'it has a member "__proto__" or "constructor.prototype"')
  return json
}

/** What the text says, or undefined if it says null, is no JSON, or would change an object's prototype. */
export function fromJson(json: string): unknown {
  return (isHarmless(json) ? parseOrNull(json) : safeParse(json)) ?? undefined
}

function refusal(value: unknown, reason: string, cause?: unknown): Error {
  return new AH_CACHE_VALUE(`expected a value that JSON can hold, got ${shown(value)}: ${reason}`, { cause })
}

function whyNotJson(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return undefined
    case 'object':
      return value === null ? undefined : whyNotJsonObject(value)
    default:
      return `${value === undefined ? 'undefined' : `a ${typeof value}`} has no JSON`
  }
}

// Below the top level JSON's own rules hold; at the top a lost value is a mistake of the caller, most often a
// missing await.
function whyNotJsonObject(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return undefined
  if ('toJSON' in value) return undefined
  if (types.isPromise(value)) return 'await it first'
  return isEmptyInJson(value) ? 'its contents would be lost' : undefined
}

function isEmptyInJson(value: object): boolean {
  if (types.isMap(value) || types.isSet(value) || types.isWeakMap(value) || types.isWeakSet(value)) return true
  return (
    types.isRegExp(value) || types.isNativeError(value) || types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)
  )
}

/** Whether what JSON.stringify wrote can be read again. */
function isSafe(json: string): boolean {
  return !hasSuspectName(json) || safeParse(json) !== null
}

// Any text may come from Redis; there a name can also be spelled with escapes.
function isHarmless(json: string): boolean {
  return !hasSuspectName(json) && !json.includes('\\u')
}

// The reader takes such members for an attack. Its own search, by regular expressions, takes longer than parsing what is
// small; these begin with letters that are rare in JSON and cost next to nothing.
function hasSuspectName(json: string): boolean {
  return json.includes('__proto__"') || json.includes('constructor"')
}

function parseOrNull(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    // No JSON: the reader would answer the same.
    return null
  }
}
