// Reads what a client sent: texts that anybody may have written, checked before anything looks into them.
import sjson from 'secure-json-parse'

/** A Bayeux message whose members have the types that they should have; what else it held is gone. */
export interface Incoming {
  readonly channel: string
  id?: string | number
  clientId?: string
  version?: string
  supportedConnectionTypes?: readonly string[]
  connectionType?: string
  advice?: { readonly timeout: number }
  subscription?: string | readonly string[]
  data?: unknown
  ext?: unknown
  /** Ours: why it is refused, for the reply. */
  error?: string
}

const mostMessages = 256
const longestName = 512
const longestId = 64

/** The messages in a text, or undefined if it is no JSON of messages. Never throws. */
export function messagesIn(text: string): Incoming[] | undefined {
  let value: unknown
  try {
    value = sjson.parse(text)
  } catch {
    return undefined
  }
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || list.length > mostMessages) return undefined
  const messages = list.map(incomingOf)
  return messages.every((message) => message !== undefined) ? (messages as Incoming[]) : undefined
}

function incomingOf(value: unknown): Incoming | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const given = value as Record<string, unknown>
  if (!isText(given['channel'], longestName)) return undefined
  const message: Incoming = { channel: given['channel'] }
  for (const [name, isFine] of members) {
    const member = given[name]
    if (member === undefined) continue
    // Clients send null for what they do not know yet.
    if (member === null && name !== 'data') continue
    if (!isFine(member)) return undefined
    Object.assign(message, { [name]: member })
  }
  return message
}

const isId = (value: unknown): boolean => isText(value, longestId) || Number.isSafeInteger(value)
const areTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= mostMessages && value.every((one) => isText(one, longestName))
const isAnything = (): boolean => true

const members: readonly (readonly [name: keyof Incoming, isFine: (value: unknown) => boolean])[] = [
  ['id', isId],
  ['clientId', (value) => isText(value, longestId)],
  ['version', (value) => isText(value, longestId)],
  ['supportedConnectionTypes', areTexts],
  ['connectionType', (value) => isText(value, longestId)],
  ['advice', isAdvice],
  ['subscription', (value) => isText(value, longestName) || areTexts(value)],
  ['data', isAnything],
  ['ext', isAnything],
]

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest
}

function isAdvice(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { timeout } = value as { timeout?: unknown }
  return timeout === undefined || (Number.isFinite(timeout) && (timeout as number) >= 0)
}
