// The parts of one registration, put together.
import type { FastifyBaseLogger } from 'fastify'
import { type Identity, instanceId, within } from 'fastify-ah-kit'
import type { RedisConnection } from 'fastify-ah-kit/redis'
import { CallHandlers } from './call-handlers.ts'
import { Calls } from './calls.ts'
import { Control } from './control.ts'
import { type Counts, makeCounts } from './counts.ts'
import { Events } from './events.ts'
import { Inbox } from './inbox.ts'
import type { PubSubKeys } from './keys.ts'
import { Nodes } from './nodes.ts'
import type { ParsedPubSubOptions } from './options.ts'
import { PendingCalls } from './pending-calls.ts'
import { Publisher } from './publisher.ts'
import { RawChannels } from './raw-channels.ts'
import { RedisClock } from './redis-clock.ts'
import { Signature } from './signature.ts'
import type { Subscription } from './subscription.ts'
import { Subscriptions } from './subscriptions.ts'
import { RedisTransport } from './transport/redis-transport.ts'
import type { Transport } from './transport/transport.ts'
import type { GapReason, NodeInfo } from './types.ts'

/** What it is made of. */
export interface EngineOptions {
  readonly connection: RedisConnection
  readonly keys: PubSubKeys
  readonly log: FastifyBaseLogger
  readonly identity: Identity
  readonly tokens: readonly [string, ...string[]]
  readonly settings: Pick<ParsedPubSubOptions, 'sharded' | 'leaseMs' | 'probeMs' | 'callTimeoutMs' | 'maxMessageBytes'>
}

// The head of a frame, the envelope, and the commas between messages.
const frameHeadBytes = 65_536
// Messages of one frame together, unless a single one is longer.
const frameBytes = 1_048_576
// How long closing waits for what is under way.
const flushMs = 1_000

/** All parts know each other through here alone. */
export class Engine {
  readonly id: string
  readonly log: FastifyBaseLogger
  readonly keys: PubSubKeys
  readonly isSharded: boolean
  readonly maxMessageBytes: number
  readonly counts: Counts = makeCounts()
  readonly events: Events
  readonly handlers: CallHandlers
  readonly pending = new PendingCalls()
  readonly publisher: Publisher
  readonly subscriptions: Subscriptions
  readonly control: Control
  readonly calls: Calls
  readonly nodes: Nodes
  readonly raw: RawChannels
  readonly #transport: Transport
  readonly #clock: RedisClock
  readonly #connection: RedisConnection
  readonly #inbox: Inbox
  #startedAt = 0
  #closing: Promise<void> | undefined

  constructor({ connection, keys, log, identity, tokens, settings }: EngineOptions) {
    const { sharded, leaseMs, probeMs, callTimeoutMs, maxMessageBytes } = settings
    this.id = instanceId('pubsub')
    this.log = log
    this.keys = keys
    this.isSharded = sharded
    this.maxMessageBytes = maxMessageBytes
    this.#connection = connection
    this.#clock = new RedisClock(connection)
    const now = (): number => this.#clock.now()
    const signature = new Signature(tokens)
    this.events = new Events(log)
    this.#transport = new RedisTransport({
      connection,
      log,
      isSharded: sharded,
      probeMs,
      probePrefix: keys.probePrefix,
      onBytes: (name, channel, bytes) => {
        if (!this.raw.take(name, bytes)) this.#inbox.take(name, channel, bytes)
      },
      onGap: (names, reason) => this.#missed(names, reason),
    })
    this.subscriptions = new Subscriptions(this.#transport)
    this.raw = new RawChannels({ transport: this.#transport, keys, isSharded: sharded, log })
    const mostBytes = Math.max(frameBytes, maxMessageBytes)
    this.publisher = new Publisher({
      transport: this.#transport,
      boot: this.id,
      now,
      counts: this.counts,
      mostBytes,
      seal: (redisChannel, frame) => signature.seal(redisChannel, frame),
    })
    this.#inbox = new Inbox({
      subscriptions: this.subscriptions,
      keys,
      signature,
      clock: this.#clock,
      counts: this.counts,
      log,
      // A cap in characters, of which each may be three bytes.
      mostBytes: mostBytes * 3 + frameHeadBytes,
      onGap: (subscription, from) => this.#tellGap([subscription], 'sequence', from),
    })
    const { publisher, subscriptions, events } = this
    this.control = new Control({ keys, publisher, subscriptions, maxMessageBytes })
    const self = (): NodeInfo => ({
      id: this.id,
      title: identity.title,
      host: identity.host,
      pid: identity.pid,
      role: identity.role ?? null,
      startedAt: this.#startedAt,
      handles: this.handlers.names,
    })
    const { control, pending } = this
    this.nodes = new Nodes({ connection, keys, control, clock: this.#clock, events, log, leaseMs, self })
    this.handlers = new CallHandlers(() => this.nodes.hurry())
    const { nodes, handlers, id } = this
    this.calls = new Calls({ control, nodes, handlers, pending, id, timeoutMs: callTimeoutMs, log })
    events.on('nodeLeft', (node) => pending.nodeLeft(node.id))
  }

  /** Hears the servers; from now on calls can be made. */
  async start(): Promise<void> {
    await this.#clock.measure()
    this.#startedAt = this.#clock.now()
    this.#connection.client.on('ready', this.#onReady)
    await Promise.all([this.nodes.listen(), this.calls.listen()])
  }

  health(): true | string {
    return this.#transport.health()
  }

  /** What is under way ends. */
  async drain(): Promise<void> {
    await this.handlers.idle()
  }

  /** Ends in time with Redis gone. Twice is fine. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#connection.client.off('ready', this.#onReady)
    await this.nodes.leave()
    this.pending.close()
    this.publisher.close()
    await within(flushMs, this.publisher.drain(), () => undefined)
    this.subscriptions.close()
    this.raw.close()
    await this.#transport.close()
  }

  // Perhaps another server, with another clock.
  readonly #onReady = (): void => {
    this.nodes.hurry()
    this.#clock.measure().catch((err: unknown) => this.log.debug({ err }, 'the time of Redis could not be asked'))
  }

  #missed(names: readonly string[], reason: 'connection' | 'moved'): void {
    this.#inbox.loosen(names)
    this.raw.missed(names)
    this.#tellGap(
      names.flatMap((name) => this.subscriptions.find(name)),
      reason,
    )
  }

  #tellGap(subscriptions: readonly Subscription[], reason: GapReason, from?: string): void {
    // Who came and went meanwhile stands in the list.
    if (subscriptions.some(({ isOurs }) => isOurs)) this.nodes.hurry()
    const channels = subscriptions.filter(({ isOurs }) => !isOurs).map(({ channel }) => channel.name)
    if (channels.length === 0) return
    this.counts.gaps += 1
    this.log.debug({ reason, from, channels: channels.length }, 'messages may have been missed')
    this.events.emit('gap', { channels, reason, ...(from === undefined ? {} : { from }) })
  }
}
