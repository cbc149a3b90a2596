// Sends messages: those of one tick on one channel as one frame.
import { TickBatch, toError } from 'fastify-ah-kit'
import { AH_KIT_REDIS_DOWN, AH_KIT_REDIS_REFUSED } from 'fastify-ah-kit/redis'
import type { Counts } from './counts.ts'
import { AH_PUBSUB_CLOSED } from './errors.ts'
import { encodeFrame, type Item, sizeOfCarrying } from './frame.ts'
import type { Transport } from './transport/transport.ts'

/** What it works with. */
export interface PublisherOptions {
  readonly transport: Pick<Transport, 'publish'>
  /** Id of this node. */
  readonly boot: string
  /** The time by Redis. */
  readonly now: () => number
  readonly counts: Counts
  /** Most bytes of the messages in one frame. */
  readonly mostBytes: number
  /** Makes of a frame what is sent: for channels that are signed. */
  readonly seal: (redisChannel: string, frame: string) => string
}

/** Where a message goes. */
export interface Destination {
  readonly channel: string
  readonly redisChannel: string
  readonly isSigned: boolean
}

interface Lane {
  readonly batch: TickBatch<Item, number>
  seq: number
  isFirst: boolean
  isBusy: boolean
  usedAt: number
}

// Most messages in one frame: a round trip's worth of the fastest sender.
const mostItems = 10_000
// Beyond so many channels those that were not used for long are forgotten.
const manyLanes = 1024
const idleMs = 60_000

/**
 * One lane for each channel, with one frame under way at a time: what comes meanwhile makes up the next one, and a frame
 * that has to be sent again after a cut cannot come behind its successor.
 */
export class Publisher {
  readonly #options: PublisherOptions
  readonly #lanes = new Map<string, Lane>()
  /** Every number of a lane that was forgotten is below: a lane that begins again repeats none. */
  #floor = 0
  #sweepAt = manyLanes
  #isClosed = false

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /**
   * Sends a message. Resolves when Redis has it, with how many connections listened; rejects with the kit's
   * `AH_KIT_REDIS_*` codes.
   */
  publish(destination: Destination, text: Item): Promise<number> {
    if (this.#isClosed) return Promise.reject(new AH_PUBSUB_CLOSED())
    const lane = this.#lanes.get(destination.redisChannel) ?? this.#begin(destination)
    return lane.batch.add(text)
  }

  /** Resolves when nothing is under way. */
  async drain(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(({ batch }) => batch.close()))
  }

  /** Takes no more messages. */
  close(): void {
    this.#isClosed = true
  }

  #begin(destination: Destination): Lane {
    if (this.#lanes.size >= this.#sweepAt) this.#forgetIdle()
    const { mostBytes } = this.#options
    const lane: Lane = {
      seq: this.#floor,
      isFirst: true,
      isBusy: false,
      usedAt: performance.now(),
      batch: new TickBatch<Item, number>({
        name: `messages on ${destination.channel}`,
        serial: true,
        maxItems: mostItems,
        maxBytes: mostBytes,
        sizeOf: (item) => (typeof item === 'string' ? item.length : sizeOfCarrying(item)),
        send: (items) => this.#send(lane, destination, items),
      }),
    }
    this.#lanes.set(destination.redisChannel, lane)
    return lane
  }

  async #send(lane: Lane, { channel, redisChannel, isSigned }: Destination, items: readonly Item[]): Promise<number[]> {
    const { transport, boot, now, seal, counts } = this.#options
    lane.seq += 1
    lane.isBusy = true
    const frame = encodeFrame({ boot, seq: lane.seq, isFirst: lane.isFirst, at: now(), channel }, items)
    lane.isFirst = false
    let listeners: number
    try {
      listeners = await transport.publish(redisChannel, isSigned ? seal(redisChannel, frame) : frame)
    } catch (thrown) {
      const error = toError(thrown)
      // Their time is nearly over, and Redis is away: they would wait as long once more.
      if (!(error instanceof AH_KIT_REDIS_REFUSED))
        lane.batch.rejectWaiting(new AH_KIT_REDIS_DOWN('publish', { cause: error }))
      throw error
    } finally {
      lane.isBusy = false
      lane.usedAt = performance.now()
    }
    counts.published += items.length
    return new Array<number>(items.length).fill(listeners)
  }

  #forgetIdle(): void {
    const now = performance.now()
    for (const [name, { seq, batch, isBusy, usedAt }] of this.#lanes) {
      if (isBusy || batch.waiting > 0 || now - usedAt < idleMs) continue
      this.#floor = Math.max(this.#floor, seq)
      this.#lanes.delete(name)
    }
    this.#sweepAt = Math.max(manyLanes, this.#lanes.size * 2)
  }
}
