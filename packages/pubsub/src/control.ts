// The servers' own channels: signed, below /actionhero/, and out of everybody else's reach.
import type { ChannelName } from './channel-name.ts'
import { toJson } from './json-text.ts'
import type { PubSubKeys } from './keys.ts'
import type { Publisher } from './publisher.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { ChannelSubscription, MessageHandler } from './types.ts'

/** What it works with. */
export interface ControlOptions {
  readonly keys: PubSubKeys
  readonly publisher: Publisher
  readonly subscriptions: Subscriptions
  readonly maxMessageBytes: number
}

/** Says and hears what only servers may. */
export class Control {
  readonly #options: ControlOptions

  constructor(options: ControlOptions) {
    this.#options = options
  }

  /**
   * Answers how many connections listened. Throws `AH_PUBSUB_DATA` and `AH_PUBSUB_TOO_LARGE` before anything is sent, for
   * which errors call the data `what`.
   */
  async publish(channel: string, data: unknown, what = 'the message'): Promise<number> {
    const { keys, publisher, maxMessageBytes } = this.#options
    const text = toJson(data, what, maxMessageBytes)
    return publisher.publish({ channel, redisChannel: keys.control(channel), isSigned: true }, text)
  }

  /** `redisName`, if it is not that of the channel: a wildcard's. */
  subscribe(
    channel: ChannelName,
    handler: MessageHandler,
    redisName: string = this.#options.keys.control(channel.name),
  ): Promise<ChannelSubscription> {
    return this.#options.subscriptions.add({ channel, redisName, isSigned: true }, handler)
  }

  /** Hears a channel of this package. */
  hear(name: string, handler: MessageHandler): Promise<ChannelSubscription> {
    return this.subscribe({ name, segments: name.slice(1).split('/'), isWildcard: false }, handler)
  }
}
