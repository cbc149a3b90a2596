// What this app is subscribed to: one truth, with events at the first and the last handler of a name.
import { toError, within } from 'fastify-ah-kit'
import type { ChannelName } from './channel-name.ts'
import { AH_PUBSUB_CLOSED, AH_PUBSUB_NOT_SUBSCRIBED } from './errors.ts'
import { shown } from './shown.ts'
import { type Receiver, Subscription } from './subscription.ts'
import type { Transport } from './transport/transport.ts'
import type { ChannelSubscription } from './types.ts'

/** How long Redis may take to confirm a subscription, in ms. */
const confirmMs = 5_000

/** What is subscribed to. */
export interface Wanted {
  readonly channel: ChannelName
  readonly redisName: string
  readonly isSigned: boolean
}

/** Counts references: Redis is asked at 0 ↔ 1. */
export class Subscriptions {
  readonly #transport: Pick<Transport, 'hold' | 'release'>
  /** By the name in Redis, then by that of the channel: to Redis `/a/*` and `/a/**` are the same pattern. */
  readonly #byName = new Map<string, Map<string, Subscription>>()
  #isClosed = false

  constructor(transport: Pick<Transport, 'hold' | 'release'>) {
    this.#transport = transport
  }

  get size(): number {
    let size = 0
    for (const { size: own } of this.#byName.values()) size += own
    return size
  }

  /** The subscriptions behind a name in Redis. */
  find(redisName: string): readonly Subscription[] {
    return [...(this.#byName.get(redisName)?.values() ?? [])]
  }

  /**
   * Resolves when Redis has confirmed it: every message published from then on is heard. Rejects with
   * `AH_PUBSUB_NOT_SUBSCRIBED` when it does not within 5 s, and with what Redis said if it refused; the handler is
   * gone then.
   */
  async add(wanted: Wanted, handler: Receiver): Promise<ChannelSubscription> {
    if (this.#isClosed) throw new AH_PUBSUB_CLOSED()
    const subscription = this.#byName.get(wanted.redisName)?.get(wanted.channel.name) ?? this.#begin(wanted)
    subscription.add(handler)
    try {
      // Also where another handler holds it: the connection may be down just now.
      await within(confirmMs, this.#transport.hold(wanted.redisName), () => {
        throw new AH_PUBSUB_NOT_SUBSCRIBED(shown(wanted.channel.name), confirmMs)
      })
    } catch (thrown) {
      // Nobody waits for this one: while Redis is away it may take its time.
      this.#remove(subscription, handler).catch(ignore)
      throw toError(thrown)
    }
    let gone: Promise<void> | undefined
    return {
      channel: wanted.channel.name,
      unsubscribe: () => {
        gone ??= this.#remove(subscription, handler)
        return gone
      },
    }
  }

  close(): void {
    this.#isClosed = true
    this.#byName.clear()
  }

  #begin({ channel, redisName, isSigned }: Wanted): Subscription {
    const subscription = new Subscription(channel, redisName, isSigned)
    const known = this.#byName.get(redisName)
    if (known === undefined) this.#byName.set(redisName, new Map([[channel.name, subscription]]))
    else known.set(channel.name, subscription)
    return subscription
  }

  async #remove(subscription: Subscription, handler: Receiver): Promise<void> {
    subscription.remove(handler)
    const { redisName, handlers, channel } = subscription
    const known = this.#byName.get(redisName)
    if (handlers.length > 0 || known?.get(channel.name) !== subscription) return
    known.delete(channel.name)
    if (known.size > 0) return
    this.#byName.delete(redisName)
    // A silent connection is replaced within that time, and with it the subscription is gone.
    await within(confirmMs, this.#transport.release(redisName), ignore)
  }
}

function ignore(): void {}
