// Owns what scripts publish on a room's channel, and how it is read.
import { compareIds, isMessageId } from './message-id.ts'

/** Messages with their ids, in their order. */
export interface Messages {
  readonly ids: readonly string[]
  /** As clients get them. */
  readonly texts: readonly string[]
}

/** Messages of a room, as one script has said them. */
export interface Said extends Messages {
  readonly epoch: string
  /** Id of the message before the first. */
  readonly prev: string
}

/** The room with this epoch was destroyed. */
export interface Gone {
  readonly gone: string
}

/** What anybody may have written there; undefined for what no release of ours did. Never throws. */
export function readFrame(text: string): Said | Gone | undefined {
  const end = text.indexOf('\n')
  const head = (end === -1 ? text : text.slice(0, end)).split(' ')
  const [form, kind, epoch, prev] = head
  if (form !== 'ah1' || epoch === undefined || epoch === '') return undefined
  if (kind === 'gone' && head.length === 3 && end === -1) return { gone: epoch }
  if (kind !== 'said' || head.length !== 4 || !isMessageId(prev) || end === -1) return undefined
  const parts = text.slice(end + 1).split('\n')
  if (parts.length % 2 !== 0) return undefined
  const ids: string[] = []
  const texts: string[] = []
  for (let index = 0; index < parts.length; index += 2) {
    if (!isMessageId(parts[index])) return undefined
    ids.push(parts[index] as string)
    texts.push(parts[index + 1] as string)
  }
  return { epoch, prev, ids, texts }
}

/** Those behind a message. */
export function laterThan({ ids, texts }: Messages, last: string): Messages {
  const first = ids.findIndex((id) => compareIds(id, last) > 0)
  if (first === 0) return { ids, texts }
  return first === -1 ? { ids: [], texts: [] } : { ids: ids.slice(first), texts: texts.slice(first) }
}

/**
 * Whether what was said is the continuation of what was heard up to `last`: all of it was heard, or the message before the
 * first new one was the last. If not, either something is missing, or it was said by a server that knows another past: a
 * master that was frozen comes back, does what waited in its sockets, and says again what its successor said long since.
 */
export function continues({ prev, ids }: Said, last: string): boolean {
  const first = ids.findIndex((id) => compareIds(id, last) > 0)
  return first === -1 || (first === 0 ? prev : ids[first - 1]) === last
}

/** Those of the frames that follow on each other and end at `last`: what was heard behind a gap is not lost with it. */
export function endingAt(frames: readonly Said[], epoch: string, last: string): readonly Said[] {
  const chain: Said[] = []
  let end = last
  for (const said of frames.toReversed()) {
    if (said.epoch !== epoch || said.ids.at(-1) !== end) continue
    chain.unshift(said)
    end = said.prev
  }
  return chain
}
