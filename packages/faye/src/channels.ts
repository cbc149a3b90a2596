// The channels of clients that this process keeps: heard here, and noted in Redis for the next keeper.
import { bayeuxError, tryAgain } from './bayeux.ts'
import type { Client } from './client.ts'
import type { Clients } from './clients.ts'
import type { Feeds } from './feeds.ts'
import type { Records } from './records.ts'

/** What they are made of. */
export interface ChannelsOptions {
  readonly clients: Clients
  readonly feeds: Feeds
  readonly records: Records
  readonly maxSubscriptions: number
}

/** Each answers what is wrong, in Bayeux' words, or undefined when all is done. Rejects if Redis does not answer. */
export class Channels {
  readonly #options: ChannelsOptions

  constructor(options: ChannelsOptions) {
    this.#options = options
  }

  async subscribe(client: Client, wanted: readonly string[]): Promise<string | undefined> {
    const { feeds, maxSubscriptions } = this.#options
    const added = [...new Set(wanted)].filter((channel) => !client.channels.has(channel))
    const [first] = added
    if (first === undefined) return undefined
    if (client.channels.size + added.length > maxSubscriptions) return bayeuxError.channelForbidden(first)
    for (const channel of added) client.channels.add(channel)
    if (client.channels.size > 1) client.mayHearTwice()
    try {
      await Promise.all(added.map((channel) => feeds.add(channel, client)))
      // The next keeper would not know of it.
      if (await this.#note(client, 'HSET', added)) return undefined
    } catch (error) {
      this.#remove(client, added)
      throw error
    }
    this.#remove(client, added)
    return tryAgain
  }

  async unsubscribe(client: Client, unwanted: readonly string[]): Promise<string | undefined> {
    const removed = unwanted.filter((channel) => client.channels.has(channel))
    if (removed.length === 0) return undefined
    this.#remove(client, removed)
    return (await this.#note(client, 'HDEL', removed)) ? undefined : tryAgain
  }

  async disconnect(client: Client): Promise<undefined> {
    // It closes its websocket by itself, once it has the reply.
    await this.#options.clients.forget(client, false)
  }

  /** Also where Redis was away for longer than the record lasts. */
  async #note(client: Client, verb: 'HSET' | 'HDEL', channels: readonly string[]): Promise<boolean> {
    const { records } = this.#options
    if (await records.note(client, verb, channels)) return true
    return (await records.keep([client])).size === 0 && (await records.note(client, verb, channels))
  }

  #remove(client: Client, channels: readonly string[]): void {
    for (const channel of channels) {
      client.channels.delete(channel)
      this.#options.feeds.remove(channel, client)
    }
  }
}
