// Primus' framing, which ActionHero's own browser client speaks: each frame is a JSON text, also what Primus itself says.
import sjson from 'secure-json-parse'
import { Parcel } from '../parcel.ts'

/**
 * How often the client has to be asked whether it is there: built for Primus' own interval of 30 s, it gives up after 45 s
 * without a question. It does not see the pings of the websocket.
 */
export const primusPingMs = 30_000

/** The connection ends, and it is not to come again. */
export const primusClose: Parcel = frame('server', 'close')

/** Whether anybody is there; the answer tells the time that the question bore. */
export function primusPing(now: number): Parcel {
  return frame('ping', now)
}

const longestRoutine = 1_024

/**
 * What ActionHero's client says by itself, and nobody waits for: behind each join and leave it joins all rooms that it is in
 * once more, and asks for its details. Counted as messages, thirty joins would be five hundred.
 */
export function isRoutine(text: string, rooms: ReadonlySet<string>): boolean {
  if (text.length > longestRoutine || !/^\{"event":"(?:roomAdd|detailsView)"/.test(text)) return false
  // Of an event that is given twice the second counts.
  const { event, room } = (sjson.safeParse(text) ?? {}) as { event?: unknown; room?: unknown }
  return event === 'detailsView' || (event === 'roomAdd' && typeof room === 'string' && rooms.has(room))
}

// Since Primus 7 the server asks and the client answers; before that it was the other way round.
const words = /^"primus::(id|ping|pong)::(\d{0,20})"$/

/** What Primus says by itself, with its answer for the connection of this id; undefined for all that is meant for us. */
export function primusWord(text: string, id: string): { readonly answer: Parcel | undefined } | undefined {
  const [, kind, time = ''] = words.exec(text) ?? []
  if (kind === undefined) return undefined
  if (kind === 'id') return { answer: frame('id', id) }
  return { answer: kind === 'ping' ? frame('pong', time) : undefined }
}

function frame(kind: string, value: string | number): Parcel {
  return new Parcel([JSON.stringify(`primus::${kind}::${value}`)])
}
