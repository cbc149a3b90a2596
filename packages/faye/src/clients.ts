// The clients that this process keeps: from the handshake or their arrival to their end.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { newClientId } from './bayeux.ts'
import { Client } from './client.ts'
import type { Delivery } from './delivery.ts'
import type { Feeds } from './feeds.ts'
import type { Records } from './records.ts'

/** What the last keeper of a client hands over. */
export interface Handover {
  /** What it had for the client, in order. */
  readonly waiting: readonly Delivery[]
  /** Ids of what it heard for the client lately, `waiting` among them. */
  readonly heard: readonly string[]
}

/** What the clients are made of. */
export interface ClientsOptions {
  readonly records: Records
  readonly feeds: Feeds
  readonly log: FastifyBaseLogger
  readonly maxQueued: number
  readonly maxClients: number
  readonly awayMs: number
}

// Of what was heard, so much is told to who claims a client in the moment in which it is left.
const heardMs = 1_000
// How soon who claims a client asks for it.
const askedWithinMs = 1_000
const mostAtOnce = 250

/** The clients that this process keeps: as a record in Redis says, it is the only one. See arrivals.ts. */
export class Clients {
  readonly #options: ClientsOptions
  readonly #clients = new Map<string, Client>()
  /** Handshakes that are under way. */
  #made = 0
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

  /** It is kept here from now on. */
  add(client: Client): void {
    this.#clients.set(client.clientId, client)
  }

  /** A new one; undefined if this process has as many as it may. */
  async create(): Promise<Client | undefined> {
    if (this.#clients.size + this.#made >= this.#options.maxClients) return undefined
    const client = this.make(newClientId(), 1)
    client.arrive([], new Set())
    this.#made += 1
    try {
      await this.#options.records.keep([client])
      this.#clients.set(client.clientId, client)
      return client
    } finally {
      this.#made -= 1
    }
  }

  /** Lets a client go to the process that claimed it; undefined if it is not here. */
  release(clientId: string, epoch: number, withinMs: number): Handover | undefined {
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
    const handover = this.#handOver(client, heardMs)
    const key = `${client.clientId} ${client.epoch}`
    this.#unasked.set(key, handover)
    try {
      if (await this.#options.records.leave(client, handover.waiting)) this.#unasked.delete(key)
    } catch (error) {
      this.#unasked.delete(key)
      throw error
    }
  }

  /** One that is not kept yet. */
  make(clientId: string, epoch: number): Client {
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
}
