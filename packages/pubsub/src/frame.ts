// Owns the form of a frame on the wire: one channel's messages of one tick, from one sender.
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
}

/** The text of a frame; each item is JSON already. */
export function encodeFrame({ boot, seq, isFirst, at, channel }: FrameHead, items: readonly string[]): string {
  const first = isFirst ? ',"first":1' : ''
  const head = `{"v":${version},"boot":${JSON.stringify(boot)},"seq":${seq}${first},"at":${at},"channel":${JSON.stringify(channel)}`
  return `${head},"items":[${items.length === 1 ? items[0] : items.join(',')}]}`
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
  const { v, boot, seq, first, at, channel, items } = value as Record<string, unknown>
  if (v !== version) return Number.isSafeInteger(v) && (v as number) > version ? 'version' : 'malformed'
  const isHead = isShortText(boot) && isShortText(channel) && Number.isSafeInteger(seq) && (seq as number) > 0
  if (!isHead || !Number.isFinite(at) || !Array.isArray(items)) return 'malformed'
  return { boot, seq: seq as number, isFirst: first === 1, at: at as number, channel, items }
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 1024
}
