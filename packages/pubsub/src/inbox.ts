// What comes from Redis: opened, read, checked, counted, and handed on. Nothing that anybody publishes makes it throw.
import type { FastifyBaseLogger } from 'fastify'
import { matches } from './channel-name.ts'
import type { Counts } from './counts.ts'
import { dispatch } from './dispatch.ts'
import { decodeFrame, type Frame } from './frame.ts'
import type { PubSubKeys } from './keys.ts'
import type { RedisClock } from './redis-clock.ts'
import type { Signature } from './signature.ts'
import type { Subscription } from './subscription.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { DropReason } from './types.ts'

/** What it works with. */
export interface InboxOptions {
  readonly subscriptions: Subscriptions
  readonly keys: PubSubKeys
  readonly signature: Signature
  readonly clock: RedisClock
  readonly counts: Counts
  readonly log: FastifyBaseLogger
  /** Most bytes that a frame of ours can have. */
  readonly mostBytes: number
  /** A number of a sender was left out. */
  readonly onGap: (subscription: Subscription, from: string) => void
}

/** Signed frames are taken this long before and after their time, by Redis: the clocks of nodes follow it by less. */
const replayWindowMs = 60_000
// What a node's idea of Redis' time may be off at the start of a subscription.
const skewMs = 2_000

/** See {@link Inbox.take}. */
export class Inbox {
  readonly #options: InboxOptions
  /** Who hears of one message in several ways gets its bytes several times, one behind the other: they are read once. */
  #last: { readonly text: string; readonly frame: Frame | DropReason } | undefined

  constructor(options: InboxOptions) {
    this.#options = options
  }

  /** Bytes on a name of Redis that we hold; `channel` is the Redis channel that they were published on. */
  take(name: string, channel: string, bytes: Buffer): void {
    const { subscriptions, counts, log } = this.#options
    // None: what was under way when the last handler left.
    for (const subscription of subscriptions.find(name)) {
      const frame = this.#read(subscription, channel, bytes)
      if (frame === undefined) continue
      if (typeof frame !== 'string') {
        dispatch(frame, subscription, counts, log)
        continue
      }
      counts.dropped[frame] += 1
      log.debug({ channel, reason: frame, bytes: bytes.length }, 'a message was dropped')
    }
  }

  /** These names may have missed messages: their senders' next numbers are no news. */
  loosen(names: readonly string[]): void {
    for (const name of names) for (const { sequence } of this.#options.subscriptions.find(name)) sequence.loosen()
  }

  /** The frame; or why it is dropped; or undefined for one that a wildcard of Redis took for ours. */
  #read(subscription: Subscription, channel: string, bytes: Buffer): Frame | DropReason | undefined {
    const { mostBytes, signature, keys } = this.#options
    if (bytes.length > mostBytes) return 'tooLarge'
    const { isSigned } = subscription
    const body = isSigned ? signature.open(channel, bytes) : bytes
    if (body === undefined) return 'forged'
    const frame = this.#decode(body.toString())
    if (typeof frame === 'string') return frame
    const expected = isSigned ? keys.control(frame.channel) : keys.user(frame.channel)
    if (expected !== channel) return 'foreign'
    if (subscription.channel.isWildcard && !matches(subscription.channel, frame.channel)) return undefined
    if (isSigned && !this.#isTimely(frame, subscription)) return 'late'
    return this.#isNew(frame, subscription) ? frame : 'replayed'
  }

  #decode(text: string): Frame | DropReason {
    if (this.#last?.text === text) return this.#last.frame
    const frame = decodeFrame(text)
    this.#last = { text, frame }
    return frame
  }

  #isTimely({ at }: Frame, { since }: Subscription): boolean {
    const age = this.#options.clock.now() - at
    // Counted back by the monotonic clock: that of Redis jumps when another server takes over.
    const oldest = Math.min(replayWindowMs, performance.now() - since + skewMs)
    return age < oldest && age > -replayWindowMs
  }

  #isNew({ boot, channel, seq, isFirst }: Frame, subscription: Subscription): boolean {
    const sender = subscription.channel.isWildcard ? `${boot} ${channel}` : boot
    const place = subscription.sequence.note(sender, seq, isFirst)
    if (place === 'gap') this.#options.onGap(subscription, boot)
    return place !== 'repeat'
  }
}
