// What this process hears for its clients: one subscription of pub/sub for each channel, however many clients have it.
import type { ChannelSubscription, MessageHandler } from 'fastify-ah-pubsub'
import type { Client } from './client.ts'
import { Delivery } from './delivery.ts'

/** Subscribes to pub/sub; another way for the servers' own channels. */
export type Subscribe = (channel: string, handler: MessageHandler) => Promise<ChannelSubscription>

/** A message that was heard, and when, in ms of the monotonic clock. */
interface Heard {
  readonly id: string
  readonly at: number
}

interface Feed {
  readonly clients: Set<Client>
  readonly subscription: Promise<ChannelSubscription>
  readonly heard: Heard[]
}

// A change of keepers takes milliseconds; this is for one that meets an outage.
const rememberedMs = 10_000
const mostRemembered = 10_000

/** A feed lives as long as a client wants it. */
export class Feeds {
  readonly #subscribe: Subscribe
  readonly #onError: (error: Error) => void
  readonly #feeds = new Map<string, Feed>()

  constructor(subscribe: Subscribe, onError: (error: Error) => void) {
    this.#subscribe = subscribe
    this.#onError = onError
  }

  /** Channels that are heard. */
  get size(): number {
    return this.#feeds.size
  }

  /** The client hears the channel from now on; resolves when Redis has confirmed it. */
  async add(channel: string, client: Client): Promise<void> {
    let feed = this.#feeds.get(channel)
    if (feed === undefined) {
      feed = this.#open(channel)
      this.#feeds.set(channel, feed)
    }
    feed.clients.add(client)
    try {
      await feed.subscription
    } catch (error) {
      this.remove(channel, client)
      throw error
    }
  }

  remove(channel: string, client: Client): void {
    const feed = this.#feeds.get(channel)
    if (feed === undefined || !feed.clients.delete(client) || feed.clients.size > 0) return
    this.#feeds.delete(channel)
    feed.subscription.then((subscription) => subscription.unsubscribe()).catch(this.#onError)
  }

  /** The ids of what was heard on the channels within the last `ms`. */
  heardWithin(channels: Iterable<string>, ms: number): string[] {
    const since = performance.now() - ms
    const ids: string[] = []
    for (const channel of channels) {
      const heard = this.#feeds.get(channel)?.heard ?? []
      for (let index = heard.length - 1; index >= 0; index -= 1) {
        const { id, at } = heard[index] as Heard
        if (at < since) break
        ids.push(id)
      }
    }
    return ids
  }

  #open(channel: string): Feed {
    const clients = new Set<Client>()
    const heard: Heard[] = []
    const subscription = this.#subscribe(channel, (data, info) => {
      const now = performance.now()
      heard.push({ id: info.id, at: now })
      if (heard.length > mostRemembered || (heard[0] as Heard).at < now - 2 * rememberedMs) {
        forget(heard, now - rememberedMs)
      }
      const delivery = new Delivery(info.id, info.channel, data)
      for (const client of clients) client.hear(delivery)
    })
    return { clients, subscription, heard }
  }
}

/** Half of them at least, so that this is rare. */
function forget(heard: Heard[], before: number): void {
  const kept = heard.findIndex(({ at }) => at >= before)
  heard.splice(0, Math.max(kept === -1 ? heard.length : kept, Math.floor(heard.length / 2)))
}
