// Owns the form of a frame on the wire: one channel's messages of one tick, from one sender.
import type { Carrier } from 'fastify-ah-kit'
import { parseJson } from './json-text.ts'
import type { DropReason } from './types.ts'

/** The format that this release writes; it reads no other. */
const version = 1

/** What a frame says beside its messages. */
export interface FrameHead {
  /** Id of the node that sent it. */
  readonly boot: string
  /** Ascends by one with each frame of a sender on a channel. */
  readonly seq: number
  /** The sender begins to count on this channel, perhaps not at 1: nothing is missing before. */
  readonly isFirst: boolean
  /** When it left, in ms since 1970 by the clock of Redis. */
  readonly at: number
  readonly channel: string
}

/** A frame that was read. */
export interface Frame extends FrameHead {
  readonly items: readonly unknown[]
  /** What messages carry for those who trace them, by their place; undefined for most frames. */
  readonly carriers?: Readonly<Record<number, unknown>>
}

/** A message that carries something, as JSON. */
export interface Carrying {
  readonly text: string
  readonly carrier: Carrier
}

/** Characters of a message with what it carries, in a frame. */
export function sizeOfCarrying({ text, carrier }: Carrying): number {
  return text.length + JSON.stringify(carrier).length
}

/** A message as JSON, alone or with what it carries. */
export type Item = string | Carrying

/** The text of a frame. */
export function encodeFrame({ boot, seq, isFirst, at, channel }: FrameHead, items: readonly Item[]): string {
  const first = isFirst ? ',"first":1' : ''
  const head = `{"v":${version},"boot":${JSON.stringify(boot)},"seq":${seq}${first},"at":${at},"channel":${JSON.stringify(channel)}`
  const [only] = items
  if (items.length === 1 && typeof only === 'string') return `${head},"items":[${only}]}`
  // Behind the messages: a release that does not know it leaves it out.
  const carriers = carriersOf(items)
  const texts = carriers === undefined ? items : items.map((item) => (typeof item === 'string' ? item : item.text))
  return `${head},"items":[${texts.join(',')}]${carriers === undefined ? '' : `,"carriers":${carriers}`}}`
}

function carriersOf(items: readonly Item[]): string | undefined {
  let found: Record<number, Carrier> | undefined
  // Counted: this runs for every message.
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index] as Item
    if (typeof item === 'string') continue
    found ??= {}
    found[index] = item.carrier
  }
  return found && JSON.stringify(found)
}

/** The frame in a text that anybody may have written, or why it is none. Never throws. */
export function decodeFrame(text: string): Frame | DropReason {
  let value: unknown
  try {
    value = parseJson(text)
  } catch {
    return 'malformed'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'malformed'
  const { v, boot, seq, first, at, channel, items, carriers } = value as Record<string, unknown>
  if (v !== version) return Number.isSafeInteger(v) && (v as number) > version ? 'version' : 'malformed'
  const isHead = isShortText(boot) && isShortText(channel) && Number.isSafeInteger(seq) && (seq as number) > 0
  if (!isHead || !Number.isFinite(at) || !Array.isArray(items)) return 'malformed'
  const frame = { boot, seq: seq as number, isFirst: first === 1, at: at as number, channel, items }
  return typeof carriers === 'object' && carriers !== null
    ? { ...frame, carriers: carriers as NonNullable<Frame['carriers']> }
    : frame
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 1024
}
