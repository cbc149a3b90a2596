// What comes from clients, and what of it is taken for what it says.
import sjson from 'secure-json-parse'
import { AH_ROOMS_VERB } from './errors.ts'
import { isMessageId } from './message-id.ts'
import type { Position } from './position.ts'
import { shown } from './shown.ts'

/** A message of a client: nothing in it is checked yet. */
export type Message = Readonly<Record<string, unknown>>

/** Throws `AH_ROOMS_VERB` for what is no object of JSON. */
export function messageIn(text: string): Message {
  let value: unknown
  try {
    value = sjson.parse(text)
  } catch (cause) {
    throw new AH_ROOMS_VERB('a message is JSON', { cause })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Message
  throw new AH_ROOMS_VERB(`a message is an object, got ${shown(value)}`)
}

/** What the reply bears, if it is something that a client may have meant so. */
export function idOf(messageId: unknown): unknown {
  const isId = typeof messageId === 'number' || (typeof messageId === 'string' && messageId.length <= 200)
  return isId ? messageId : undefined
}

/** Of a message that a client says to have heard. */
export function positionIn(heard: unknown): Position | undefined {
  if (typeof heard !== 'object' || heard === null) return undefined
  const { epoch, last } = heard as Record<string, unknown>
  return typeof epoch === 'string' && epoch !== '' && epoch.length <= 64 && isMessageId(last)
    ? { epoch, last }
    : undefined
}
