// Owns the entries of the failed list: JSON always, with the payload's own bytes in it.
import { readThrown } from './thrown.ts'
import type { FailedJob } from './types.ts'

/** What an entry is made of. */
export interface Failure {
  readonly worker: string
  readonly queue: string
  readonly payload: string | Buffer
  readonly error: unknown
}

const payloadStart = ',"payload":'

/**
 * The entry. The payload comes last, as it is: nothing is encoded anew, so big integers stay what they are. What is no
 * JSON stands as base64 in `payload.raw`.
 */
export function encodeFailure({ worker, queue, payload, error }: Failure): string {
  const { name, message, stack } = readThrown(error)
  const head = {
    worker,
    queue,
    exception: name,
    error: message,
    backtrace: stack.split('\n').slice(1),
    failed_at: new Date().toString(),
  }
  return `${JSON.stringify(head).slice(0, -1)}${payloadStart}${payloadText(payload)}}`
}

/** The payload's own bytes in an entry, also in one of node-resque's or Ruby's; undefined if they are not found. */
export function payloadOf(entry: string): string | undefined {
  // Before it stand flat texts only, whoever wrote it, in which this would have backslashes.
  const start = entry.indexOf(payloadStart)
  if (start < 0) return undefined
  const from = start + payloadStart.length
  const text = entry.slice(from, endOfValue(entry, from))
  return isObject(text) ? text : undefined
}

// Which text an entry was read from: to remove exactly that, whatever parsing lost.
const texts = new WeakMap<object, string>()

/** Reads an entry. One that is no JSON is shown as such, and can still be removed. */
export function decodeFailure(text: string): FailedJob {
  let entry: FailedJob
  try {
    entry = JSON.parse(text)
    if (!isRecord(entry) || !isRecord(entry.payload)) throw new Error('no entry')
  } catch {
    // Somebody else's entry: it is listed rather than hidden.
    entry = {
      worker: '',
      queue: '',
      payload: { raw: text },
      exception: 'Unreadable',
      error: text,
      backtrace: [],
      failed_at: '',
    }
  }
  texts.set(entry, text)
  return entry
}

/** The text that an entry was read from, else as node-resque would look for it. */
export function textOfFailure(entry: FailedJob): string {
  return texts.get(entry) ?? JSON.stringify(entry)
}

function payloadText(payload: string | Buffer): string {
  const text = typeof payload === 'string' ? payload : payload.toString()
  const isText = typeof payload === 'string' || Buffer.from(text).equals(payload)
  if (isText && isObject(text)) return text
  return JSON.stringify({ raw: Buffer.from(payload as string).toString('base64') })
}

/** Where the object or list that begins at `from` is over. */
function endOfValue(text: string, from: number): number {
  let depth = 0
  let isInText = false
  for (let at = from; at < text.length; at += 1) {
    const char = text[at]
    if (char === '"') isInText = !isInText
    else if (isInText) at += char === '\\' ? 1 : 0
    else if (char === '{' || char === '[') depth += 1
    else if (char === '}' || char === ']') depth -= 1
    if (depth === 0 && !isInText) return at + 1
  }
  return text.length
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isObject(text: string): boolean {
  try {
    return isRecord(JSON.parse(text))
  } catch {
    // That it is none is the answer.
    return false
  }
}
