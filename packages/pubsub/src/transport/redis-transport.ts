// Redis as the transport: which server a name is held at, and by which command a channel is published on.
import type { FastifyBaseLogger } from 'fastify'
import { keyOnMaster, type RedisConnection, slotOwners } from 'fastify-ah-kit/redis'
import { AH_PUBSUB_CLOSED } from '../errors.ts'
import { publishOnMaster } from '../scripts/publish-on-master.ts'
import { Feed } from './feed.ts'
import type { Transport, TransportListener } from './transport.ts'

/** What it is made of. */
export interface RedisTransportOptions extends TransportListener {
  readonly connection: RedisConnection
  readonly log: FastifyBaseLogger
  readonly isSharded: boolean
  readonly probeMs: number
  readonly probePrefix: string
}

interface Place {
  feed: Feed | undefined
  /** Settles what `hold` answered, once there is a feed. */
  readonly held: Promise<void>
  readonly follow: (held: Promise<void>) => void
  readonly fail: (error: Error) => void
}

/**
 * One feed to a single server; on Redis Cluster one to each master, and a name is held at the master of its slot: there
 * its messages are published, so that no lost link between two nodes keeps them from us. (A pattern is held at the slot
 * of its own text; messages of other masters come to it over the cluster's bus.)
 */
export class RedisTransport implements Transport {
  readonly #options: RedisTransportOptions
  /** By the address of the master; one with '' off Cluster. */
  readonly #feeds = new Map<string, Feed>()
  readonly #places = new Map<string, Place>()
  #owners = ''
  #isClosed = false

  constructor(options: RedisTransportOptions) {
    this.#options = options
    const { client } = options.connection
    if (!client.isCluster) return
    this.#owners = slotOwners(client)
    client.on('refresh', this.#onRefresh)
    client.on('+node', this.#placeLater)
  }

  publish(channel: string, text: string): Promise<number> {
    const { connection, isSharded } = this.#options
    if (this.#isClosed) return Promise.reject(new AH_PUBSUB_CLOSED())
    if (isSharded) return connection.write('SPUBLISH', [channel, text])
    if (connection.isCluster) return connection.run(publishOnMaster, [channel], [text])
    return connection.write('PUBLISH', [channel, text])
  }

  hold(name: string): Promise<void> {
    if (this.#isClosed) return Promise.reject(new AH_PUBSUB_CLOSED())
    const known = this.#places.get(name)
    if (known !== undefined) return known.feed === undefined ? known.held : known.feed.want(name)
    let follow: Place['follow'] = () => undefined
    let fail: Place['fail'] = () => undefined
    const held = new Promise<void>((resolve, reject) => {
      follow = resolve as Place['follow']
      fail = reject
    })
    const place: Place = { feed: undefined, held, follow, fail }
    this.#places.set(name, place)
    this.#place(name, place)
    return held
  }

  async release(name: string): Promise<void> {
    const place = this.#places.get(name)
    this.#places.delete(name)
    place?.fail(new AH_PUBSUB_CLOSED())
    await this.#leaveElsewhere(name)
  }

  health(): true | string {
    if ([...this.#places.values()].some(({ feed }) => feed === undefined)) return 'a channel has no server'
    for (const feed of this.#feeds.values()) if (feed.health !== true) return feed.health
    return true
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const { client } = this.#options.connection
    client.off('refresh', this.#onRefresh)
    client.off('+node', this.#placeLater)
    for (const { feed, fail } of this.#places.values()) if (feed === undefined) fail(new AH_PUBSUB_CLOSED())
    await Promise.all([...this.#feeds.values()].map((feed) => feed.close()))
  }

  /** Puts a name where it belongs; later, if nobody serves it just now. */
  #place(name: string, place: Place): void {
    const feed = this.#feedOf(name)
    if (feed === undefined) return
    place.feed = feed
    place.follow(feed.want(name))
  }

  #feedOf(name: string): Feed | undefined {
    const { connection } = this.#options
    const address = connection.masterOf(name)
    const found = this.#feeds.get(address)
    if (found !== undefined) return found
    const master = connection.masterClientOf(name)
    if (master === undefined) return undefined
    const feed = this.#open(address, connection.isCluster ? master : undefined)
    this.#feeds.set(address, feed)
    return feed
  }

  #open(address: string, master: ReturnType<RedisConnection['masterClientOf']>): Feed {
    const { connection, log, isSharded, probeMs, probePrefix, onBytes, onGap } = this.#options
    let probe: string | undefined
    return new Feed({
      connection,
      log,
      master,
      isSharded,
      probe: {
        everyMs: probeMs,
        publish: (channel, text) => this.publish(channel, text),
        channelFor: (id) => {
          if (probe !== undefined && connection.masterOf(probe) === address) return probe
          probe = keyOnMaster(connection.client, address, probePrefix + id)
          return probe
        },
      },
      onBytes,
      onGap: (names) => onGap(names, 'connection'),
      onMisplaced: this.#placeLater,
    })
  }

  readonly #onRefresh = (): void => {
    const { client } = this.#options.connection
    const owners = slotOwners(client)
    const hasMoved = owners !== this.#owners
    this.#owners = owners
    if (hasMoved || [...this.#places.values()].some(({ feed }) => feed === undefined)) this.#placeAll()
  }

  // A server that came, or a name that was refused: the client may know a moment later who serves it.
  readonly #placeLater = (): void => void setImmediate(() => this.#placeAll())

  #placeAll(): void {
    if (this.#isClosed) return
    const moved: string[] = []
    const held: Promise<void>[] = []
    for (const [name, place] of this.#places) {
      if (place.feed === undefined) {
        this.#place(name, place)
        continue
      }
      const feed = this.#feedOf(name)
      if (feed === undefined || feed === place.feed) continue
      place.feed = feed
      moved.push(name)
      // Heard twice for a moment, which the numbers of frames show, rather than not at all.
      held.push(feed.want(name).then(() => this.#leaveElsewhere(name)))
    }
    this.#closeUnused()
    if (moved.length === 0) return
    // What was released meanwhile, or refused, has told that to whom it concerns.
    Promise.allSettled(held).then(() => this.#options.onGap(moved, 'moved'), undefined)
  }

  /**
   * Holds a name where it is placed now, and nowhere else. That may be where it was before: what nodes answer while a slot
   * moves goes to and fro, faster than a connection is made.
   */
  async #leaveElsewhere(name: string): Promise<void> {
    const here = this.#places.get(name)?.feed
    const others = [...this.#feeds.values()].filter((feed) => feed !== here)
    await Promise.all(others.map((feed) => feed.unwant(name)))
  }

  /** Servers that have left the cluster, or serve nothing any more. */
  #closeUnused(): void {
    const { client } = this.#options.connection
    const owners = new Set((client as { slots?: string[][] }).slots?.map((nodes) => nodes?.[0]))
    for (const [address, feed] of this.#feeds) {
      if (owners.has(address) || [...this.#places.values()].some((place) => place.feed === feed)) continue
      this.#feeds.delete(address)
      feed.close().catch((err: unknown) => this.#options.log.warn({ err }, 'a connection to Redis did not close'))
    }
  }
}
