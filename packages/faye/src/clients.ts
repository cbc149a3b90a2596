// The clients that this process keeps, and how one comes from another process.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { newClientId } from './bayeux.ts'
import { Client } from './client.ts'
import type { Feeds } from './feeds.ts'
import type { Records } from './records.ts'
import type { Delivery } from './types.ts'

/** What the last keeper of a client hands over. */
export interface Handover {
  /** What it had for the client, in order. */
  readonly waiting: readonly Delivery[]
  /** Ids of what it heard for the client lately, `waiting` among them. */
  readonly heard: readonly string[]
}

/** Asks the last keeper to let a client go. It may be dead: then there is nothing. Never rejects. */
export type AskForHandover = (keeper: string, clientId: string, epoch: number, withinMs: number) => Promise<Handover>

/** What the clients are made of. */
export interface ClientsOptions {
  readonly records: Records
  readonly feeds: Feeds
  readonly nodeId: string
  readonly log: FastifyBaseLogger
  readonly maxQueued: number
  readonly maxClients: number
  readonly awayMs: number
  readonly askForHandover: AskForHandover
}

interface Arrival {
  readonly epoch: number
  readonly done: Promise<unknown>
}

// Messages that the last keeper heard just before we did: the time that the network may take between two processes.
const marginMs = 1_000
// How soon who claims a client asks for it.
const askedWithinMs = 1_000
const mostTries = 5
const mostAtOnce = 250

/**
 * One process keeps a client at a time, as the record says: it hears the client's channels and holds what waits for it. A
 * client that connects elsewhere is taken along:
 *
 * 1. the new keeper reads the record and hears the channels, as soon as Redis confirmed them;
 * 2. it claims the record: of several only one can, the next one begins after it;
 * 3. it asks the last keeper to let go: what waits there comes first, then what the new one heard and the last one had not.
 *
 * So nothing is lost or doubled between two that live. A keeper that died takes along what waited for its clients, and
 * what is published until they come again.
 */
export class Clients {
  readonly #options: ClientsOptions
  readonly #clients = new Map<string, Client>()
  readonly #arriving = new Map<string, Arrival>()
  readonly #brought = new Map<string, Promise<Client | undefined>>()
  /** What was claimed by another process in the moment in which this one left it. */
  readonly #unasked = new Map<string, Handover>()
  /** Whose record another process has, and which was not asked for yet. */
  #lost = new Set<string>()

  constructor(options: ClientsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#clients.size
  }

  all(): readonly Client[] {
    return [...this.#clients.values()]
  }

  /** One that this process keeps. */
  kept(clientId: string): Client | undefined {
    return this.#clients.get(clientId)
  }

  /** A new one; undefined if this process has as many as it may. */
  async create(): Promise<Client | undefined> {
    if (this.#clients.size >= this.#options.maxClients) return undefined
    const client = this.#make(newClientId(), 1)
    client.arrive([], new Set())
    await this.#options.records.keep([client])
    this.#clients.set(client.clientId, client)
    return client
  }

  /** Has this process keep the client; undefined if there is none of that id. Rejects if Redis does not answer. */
  bring(clientId: string): Promise<Client | undefined> {
    const client = this.#clients.get(clientId)
    if (client !== undefined && !this.#arriving.has(clientId)) return Promise.resolve(client)
    let brought = this.#brought.get(clientId)
    if (brought === undefined) {
      brought = this.#bring(clientId).finally(() => this.#brought.delete(clientId))
      this.#brought.set(clientId, brought)
    }
    return brought
  }

  /** Lets a client go to the process that claimed it; undefined if it is not here. */
  async release(clientId: string, epoch: number, withinMs: number): Promise<Handover | undefined> {
    const arriving = this.#arriving.get(clientId)
    if (arriving?.epoch === epoch) await arriving.done
    const client = this.#clients.get(clientId)
    if (client !== undefined && client.epoch === epoch) return this.#handOver(client, withinMs)
    const unasked = this.#unasked.get(`${clientId} ${epoch}`)
    this.#unasked.delete(`${clientId} ${epoch}`)
    return unasked
  }

  /**
   * The end of this process: what waits for its clients is left in Redis, or handed to who claims one in this moment.
   * Rejects if Redis does not answer; then it is lost.
   */
  async leave(): Promise<void> {
    const results = await Promise.allSettled(this.all().map((client) => this.#leave(client)))
    const endsAt = performance.now() + askedWithinMs
    while (this.#unasked.size > 0 && performance.now() < endsAt) await sleep(10)
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /** Ends it for good, its websocket only if told to. What cannot be said to Redis ends there by itself. */
  async forget(client: Client, isSocketClosed = true): Promise<void> {
    const { records, log } = this.#options
    this.dismiss(client, isSocketClosed)
    await records
      .drop(client)
      .catch((error: Error) => log.debug({ err: error }, 'the record of a faye client stays until it ends by itself'))
  }

  /** It is not kept here any more; answers what waited. */
  dismiss(client: Client, isSocketClosed = true): Delivery[] {
    const waiting = client.end(isSocketClosed)
    if (this.#clients.get(client.clientId) === client) this.#clients.delete(client.clientId)
    for (const channel of client.channels) this.#options.feeds.remove(channel, client)
    return waiting
  }

  /** Forgets who was away for too long, and renews the records of the others. */
  async sweep(): Promise<void> {
    const { awayMs, records } = this.#options
    const latest = performance.now() - awayMs
    const overdue = this.all().filter(({ awaySince = Number.POSITIVE_INFINITY }) => awaySince < latest)
    await Promise.all(overdue.map((client) => this.forget(client)))
    const lost = new Set<string>()
    const clients = this.all()
    for (let from = 0; from < clients.length; from += mostAtOnce) {
      const part = clients.slice(from, from + mostAtOnce).filter(({ isGone }) => !isGone)
      for (const clientId of await records.keep(part)) lost.add(clientId)
    }
    // Whoever has it will ask for what waits; only if not even the next round finds it asked for, nobody will.
    for (const client of clients) {
      if (lost.has(client.clientId) && this.#lost.has(client.clientId) && !client.isGone) this.dismiss(client)
    }
    this.#lost = lost
  }

  #handOver(client: Client, withinMs: number): Handover {
    const heard = this.#options.feeds.heardWithin(client.channels, withinMs)
    return { waiting: this.dismiss(client), heard }
  }

  async #leave(client: Client): Promise<void> {
    const handover = this.#handOver(client, marginMs)
    const key = `${client.clientId} ${client.epoch}`
    this.#unasked.set(key, handover)
    try {
      if (await this.#options.records.leave(client, handover.waiting)) this.#unasked.delete(key)
    } catch (error) {
      this.#unasked.delete(key)
      throw error
    }
  }

  #make(clientId: string, epoch: number): Client {
    const { maxQueued, log } = this.#options
    return new Client({
      clientId,
      epoch,
      maxQueued,
      onOverflow: (client) => {
        log.warn({ waiting: maxQueued }, 'a faye client is forgotten: more messages wait for it than may')
        void this.forget(client)
      },
    })
  }

  async #bring(clientId: string): Promise<Client | undefined> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const record = await this.#options.records.read(clientId)
      if (record === undefined) return undefined
      const client = this.#make(clientId, record.epoch + 1)
      const arrival = this.#arrive(client, record.keeper, record.channels)
      this.#arriving.set(clientId, { epoch: client.epoch, done: arrival.catch(() => undefined) })
      try {
        if (await arrival) return client
      } finally {
        this.#arriving.delete(clientId)
      }
    }
    return undefined
  }

  /** Whether it came: not if another process was quicker. */
  async #arrive(client: Client, lastKeeper: string, channels: readonly string[]): Promise<boolean> {
    const { feeds, records, nodeId, askForHandover } = this.#options
    const { clientId, epoch } = client
    const startedAt = performance.now()
    try {
      if (channels.length > 1) client.mayHearTwice()
      for (const channel of channels) client.channels.add(channel)
      await Promise.all(channels.map((channel) => feeds.add(channel, client)))
      const left = await records.claim(clientId, epoch - 1)
      if (left === undefined) {
        this.dismiss(client)
        return false
      }
      const isOther = lastKeeper !== '' && lastKeeper !== nodeId
      const withinMs = (): number => performance.now() - startedAt + marginMs
      const { waiting, heard }: Handover = isOther
        ? await askForHandover(lastKeeper, clientId, epoch - 1, withinMs())
        : { waiting: [], heard: [] }
      // What was left is taken out of the record, before anybody gets it.
      await records.keep([client])
      this.#clients.set(clientId, client)
      client.arrive(once([...left, ...waiting]), new Set(heard))
      return true
    } catch (error) {
      this.dismiss(client)
      throw error
    }
  }
}

function once(deliveries: readonly Delivery[]): Delivery[] {
  return [...new Map(deliveries.map((delivery) => [delivery.id, delivery])).values()]
}
