// One connection on which one Redis server sends what is published: what it holds is made to be what is wanted.
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import type { DedicatedConnection, RedisClient, RedisConnection, ServerClient } from 'fastify-ah-kit/redis'
import { AH_PUBSUB_CLOSED } from '../errors.ts'
import { type CatchUpOptions, catchUp } from './catch-up.ts'
import { HeldNames } from './held-names.ts'
import { OpenSocket } from './open-socket.ts'
import { Probe, type ProbeOptions } from './probe.ts'
import { SubscribeVerbs } from './verbs.ts'

/** What is listened to, and who is told. */
export interface FeedOptions {
  readonly connection: RedisConnection
  readonly log: FastifyBaseLogger
  /** On Redis Cluster, one of its masters. */
  readonly master: ServerClient | undefined
  readonly isSharded: boolean
  readonly probe: Pick<ProbeOptions, 'everyMs' | 'channelFor' | 'publish'>
  readonly onBytes: (name: string, channel: string, bytes: Buffer) => void
  readonly onGap: (names: readonly string[]) => void
  /** A name was refused because another server serves it. */
  readonly onMisplaced: () => void
}

/**
 * | state | moves to | when |
 * |---|---|---|
 * | down | catching up | the socket is ready: nothing is held, everything wanted is dirty |
 * | catching up | sound | Redis has confirmed the last dirty name; what was held before the cut is told as a gap |
 * | sound | catching up | another name is wanted, or one not any more |
 * | sound | down | two probes in a row were not heard, or Redis counts otherwise, or says nothing: the client is replaced |
 * | any | down | the socket closed |
 */
export class Feed {
  readonly #options: FeedOptions
  readonly #names = new HeldNames()
  readonly #socket = new OpenSocket()
  readonly #dedicated: DedicatedConnection
  readonly #asking: CatchUpOptions
  readonly #probe: Probe
  #client: RedisClient | undefined
  #isSyncing = false
  #isClosed = false

  constructor(options: FeedOptions) {
    this.#options = options
    const { connection, master, log, probe, isSharded, onMisplaced } = options
    const [names, socket] = [this.#names, this.#socket]
    const dedicated = connection.dedicated('reconciled', (client) => this.#watch(client), master)
    this.#dedicated = dedicated
    this.#asking = { names, dedicated, socket, verbs: new SubscribeVerbs(isSharded), onMisplaced }
    this.#probe = new Probe({ ...probe, dedicated, names, socket, log, sync: () => this.#sync() })
  }

  /** True while everything wanted is held, and the last probe was heard; else the reason in words. */
  get health(): true | string {
    if (!this.#isReady()) return 'a subscriber connection is down'
    if (!this.#probe.isProven) return 'a subscriber connection is not proven to hear'
    if (this.#names.hasRefused) return 'Redis refuses a subscription'
    return this.#names.isSettled || 'a subscriber connection has not caught up'
  }

  /** Resolves once Redis has confirmed it. */
  want(name: string): Promise<void> {
    if (this.#isClosed) return Promise.reject(new AH_PUBSUB_CLOSED())
    const held = this.#names.want(name)
    this.#sync()
    return held
  }

  /** Resolves once Redis has confirmed it, or the socket is gone. */
  unwant(name: string): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    const gone = this.#names.unwant(name)
    this.#sync()
    return gone
  }

  /** Ends within two seconds; what waits rejects with `AH_PUBSUB_CLOSED`. Twice is fine. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#socket.renew()
    this.#names.close(new AH_PUBSUB_CLOSED())
    await Promise.all([this.#dedicated.close(), this.#probe.stop()])
  }

  #isReady(): boolean {
    return !this.#isClosed && this.#client?.status === 'ready'
  }

  #watch(client: RedisClient): void {
    this.#client = client
    this.#lose()
    const ifCurrent =
      <Args extends unknown[]>(listener: (...args: Args) => void) =>
      (...args: Args): void => {
        if (this.#client === client) listener(...args)
      }
    client.on('ready', ifCurrent(this.#rise))
    client.on('close', ifCurrent(this.#lose))
    // Redis has taken a sharded channel from us: its slot moved.
    client.on('moved', ifCurrent(this.#doubt))
    const hear = ifCurrent((channel: Buffer, bytes: Buffer) => {
      const name = channel.toString()
      this.#hear(name, name, bytes)
    })
    client.on('messageBuffer', hear)
    client.on('smessageBuffer', hear)
    const hearPattern = ifCurrent((pattern: string, channel: Buffer, bytes: Buffer) => {
      this.#hear(pattern, channel.toString(), bytes)
    })
    client.on('pmessageBuffer', hearPattern)
  }

  #hear(name: string, channel: string, bytes: Buffer): void {
    if (this.#probe.owns(name)) this.#probe.hear(bytes)
    else this.#options.onBytes(name, channel, bytes)
  }

  readonly #lose = (): void => {
    // The first client is there before the probe.
    this.#probe?.lose()
    this.#names.lose()
    this.#socket.renew()
  }

  readonly #rise = (): void => {
    this.#lose()
    // ioredis says that it is ready before it is done with it.
    process.nextTick(() => {
      this.#sync()
      this.#probe.hurry()
    })
  }

  /** Nobody knows what the server still sends: everything is asked for again. */
  readonly #doubt = (): void => {
    this.#options.onMisplaced()
    this.#names.lose()
    this.#sync()
  }

  #sync(): void {
    if (this.#isSyncing || this.#isClosed || this.#names.isSettled) return
    this.#isSyncing = true
    // What is asked for in one turn is asked of Redis together.
    queueMicrotask(() => {
      this.#catchUp().then(this.#endSync, (thrown: unknown) => {
        // The next `ready` begins again, or the next probe.
        this.#isSyncing = false
        this.#options.log.debug({ err: toError(thrown) }, 'subscriptions wait for their connection')
      })
    })
  }

  readonly #endSync = (): void => {
    this.#isSyncing = false
    // Something may have been wanted since the last look.
    if (this.#isReady()) this.#sync()
  }

  async #catchUp(): Promise<void> {
    await catchUp(this.#asking, () => this.#isReady())
    if (!this.#names.isSettled || !this.#isReady()) return
    const missed = this.#names.takeMissed().filter((name) => !this.#probe.owns(name))
    if (missed.length > 0) this.#options.onGap(missed)
    this.#probe.hurry()
  }
}
