// The facade: what users call.
import { type Carrier, carrierIn } from 'fastify-ah-kit'
import { type ChannelName, globOf, internalChannel, single, userChannel, withoutWildcard } from './channel-name.ts'
import type { Engine } from './engine.ts'
import { AH_PUBSUB_OPTIONS } from './errors.ts'
import { toJson } from './json-text.ts'
import { checkIn } from './schema.ts'
import { shown } from './shown.ts'
import { type PublishTrace, tracedCall, traces } from './traces.ts'
import { TypedChannel } from './typed-channel.ts'
import type {
  AhChannels,
  CallAllOptions,
  CallHandler,
  CallOptions,
  Channel,
  ChannelData,
  ChannelOptions,
  ChannelSubscription,
  Gap,
  HandleOptions,
  InternalChannels,
  MessageHandler,
  NodeAnswer,
  NodeInfo,
  PubSubEvents,
  PubSubStats,
  RawSubscriptions,
} from './types.ts'

/** Publish and subscribe, calls between nodes, and the list of live nodes. */
export class PubSub {
  /** For the app's own servers, below `/actionhero/app/`: signed with the server token. */
  readonly internal: InternalChannels
  /** For plugins whose scripts publish by themselves. */
  readonly raw: RawSubscriptions
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
    this.raw = engine.raw
    this.internal = {
      publish: async (name, data) => {
        await engine.control.publish(single(internalChannel(name)).name, data)
      },
      subscribe: async (name, handler) => {
        const channel = this.#subscribable(internalChannel(name), handler)
        const redisName = engine.keys.control(globOf(channel))
        return engine.control.subscribe(channel, handler as MessageHandler, redisName)
      },
    }
  }

  /** Id of this node, as in `nodes()` and `info.from`. */
  get id(): string {
    return this.#engine.id
  }

  /**
   * Calls the handler with each message that is published from now on. Resolves when Redis has confirmed it; rejects with
   * `AH_PUBSUB_NOT_SUBSCRIBED` when it does not within 5 s. `*` stands for one segment, a last `**` for one or more.
   * All handlers of the process get the same data: not to be changed.
   */
  async subscribe<Name extends string>(
    channel: Name,
    handler: MessageHandler<ChannelData<Name>>,
  ): Promise<ChannelSubscription> {
    const wanted = this.#subscribable(userChannel(channel), handler)
    const redisName = this.#engine.keys.user(globOf(wanted))
    return this.#engine.subscriptions.add({ channel: wanted, redisName, isSigned: false }, handler as MessageHandler)
  }

  /**
   * Resolves when Redis has the message; rejects when it has not within 5 s (`AH_KIT_REDIS_DOWN`: surely not,
   * `AH_KIT_REDIS_UNCERTAIN`: perhaps). Data is what JSON can hold, taken at the time of the call.
   */
  publish<Name extends string>(channel: Name, data: ChannelData<Name>): Promise<void> {
    if (!traces.publish.hasSubscribers) return this.#publish(channel, data)
    const context: PublishTrace = { channel, data, carrier: {} }
    // Subscribers of `start` have written into the carrier by the time this runs.
    return traces.publish.tracePromise(() => this.#publish(channel, data, carrierIn(context.carrier)), context)
  }

  /** A channel with one kind of data: as {@link AhChannels} says, or as the type argument does. Checked by a schema. */
  channel<Name extends keyof AhChannels & string>(name: Name, options?: ChannelOptions): Channel<AhChannels[Name]>
  channel<Data = unknown>(name: string, options?: ChannelOptions): Channel<Data>
  channel(name: string, options?: ChannelOptions): Channel<unknown> {
    const { counts, log } = this.#engine
    return new TypedChannel({
      name: single(userChannel(name)).name,
      check: checkIn(options, `data of ${name}`),
      publish: (channel, data) => this.publish(channel, data),
      subscribe: (channel, handler) => this.subscribe(channel, handler),
      onInvalid: ({ channel, from }, wrong) => {
        counts.dropped.invalid += 1
        log.warn({ channel, node: from, wrong }, 'a message does not fit the schema of its channel and was dropped')
      },
    })
  }

  /** Answers calls of the name from any node; what it answers is sent back. Answers how to take the handler back. */
  handle<Args = unknown>(name: string, handler: CallHandler<Args>): () => void
  handle<Args = unknown>(name: string, options: HandleOptions, handler: CallHandler<Args>): () => void
  handle(name: string, ...rest: readonly unknown[]): () => void {
    const [options, handler] = rest.length > 1 ? rest : [undefined, rest[0]]
    return this.#engine.handlers.add(name, options, handler)
  }

  /**
   * What the handler on one node answers: on `node`, else on any that handles the name (`AH_PUBSUB_NO_HANDLER` if none
   * does). Rejects with the handler's error, its code and message; with `AH_PUBSUB_NOT_ALLOWED`,
   * `AH_PUBSUB_NODE_GONE`, `AH_PUBSUB_CALL_TIMEOUT`.
   */
  call<Result = unknown>(name: string, args?: unknown, options?: CallOptions): Promise<Result> {
    return tracedCall({ name, node: options?.node, args }, (carrier) =>
      this.#engine.calls.call(name, args, options, carrier),
    ) as Promise<Result>
  }

  /**
   * What each live node answers, this one too, in the order of `nodes()`: its result, or why there is none. Rejects with
   * `AH_PUBSUB_NOT_ALLOWED` if no node handles the name.
   */
  callAll<Result = unknown>(
    name: string,
    args?: unknown,
    options?: CallAllOptions,
  ): Promise<readonly NodeAnswer<Result>[]> {
    return tracedCall({ name, node: undefined, args }, (carrier) =>
      this.#engine.calls.callAll(name, args, options, carrier),
    ) as Promise<readonly NodeAnswer<Result>[]>
  }

  /** The live nodes, this one too, by Redis' word of now. */
  nodes(): Promise<readonly NodeInfo[]> {
    return this.#engine.nodes.list()
  }

  /** Hears of nodes that come and go, and of gaps. Answers how to stop. */
  on<Name extends keyof PubSubEvents>(event: Name, listener: (what: PubSubEvents[Name]) => unknown): () => void {
    return this.#engine.events.on(event, listener)
  }

  /** Messages may have been missed: on which channels, and why. Answers how to stop. */
  onGap(listener: (gap: Gap) => unknown): () => void {
    return this.on('gap', listener)
  }

  /** What happened here so far, in numbers. */
  stats(): PubSubStats {
    const { counts, pending, subscriptions } = this.#engine
    return {
      ...counts,
      dropped: { ...counts.dropped },
      pendingCalls: pending.size,
      subscriptions: subscriptions.size,
    }
  }

  /** Not async: this runs for every message. */
  #publish(channel: string, data: unknown, carrier?: Carrier): Promise<void> {
    try {
      const { keys, maxMessageBytes, publisher } = this.#engine
      const { name } = single(userChannel(channel))
      const text = toJson(data, 'the message', maxMessageBytes)
      // The number of listeners that it answers is nobody's business: on a channel of users there are no promises about it.
      const item = carrier === undefined ? text : { text, carrier }
      return publisher.publish({ channel: name, redisChannel: keys.user(name), isSigned: false }, item).then(ignore)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #subscribable(channel: ChannelName, handler: unknown): ChannelName {
    if (typeof handler !== 'function') {
      throw new AH_PUBSUB_OPTIONS(`subscribe: expected a function for ${shown(channel.name)}, got ${shown(handler)}`)
    }
    if (this.#engine.isSharded && channel.isWildcard) withoutWildcard(channel)
    return channel
  }
}

function ignore(): void {}
