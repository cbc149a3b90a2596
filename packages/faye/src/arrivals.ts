// How a client comes to this process from the one that kept it until now.
import type { Client } from './client.ts'
import type { Clients, Handover } from './clients.ts'
import type { Delivery } from './delivery.ts'
import type { Feeds } from './feeds.ts'
import type { Records } from './records.ts'

/** Asks the last keeper to let a client go. It may be dead: then there is nothing. Never rejects. */
export type AskForHandover = (keeper: string, clientId: string, epoch: number, withinMs: number) => Promise<Handover>

/** What arrivals are made of. */
export interface ArrivalsOptions {
  readonly clients: Clients
  readonly records: Records
  readonly feeds: Feeds
  readonly nodeId: string
  readonly askForHandover: AskForHandover
}

interface Arrival {
  readonly epoch: number
  readonly done: Promise<unknown>
}

// Messages that the last keeper heard just before we did: the time that the network may take between two processes.
const marginMs = 1_000
const mostTries = 5

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
export class Arrivals {
  readonly #options: ArrivalsOptions
  readonly #arriving = new Map<string, Arrival>()
  readonly #brought = new Map<string, Promise<Client | undefined>>()

  constructor(options: ArrivalsOptions) {
    this.#options = options
  }

  /** Has this process keep the client; undefined if there is none of that id. Rejects if Redis does not answer. */
  bring(clientId: string): Promise<Client | undefined> {
    const client = this.#options.clients.kept(clientId)
    if (client !== undefined && !this.#arriving.has(clientId)) return Promise.resolve(client)
    let brought = this.#brought.get(clientId)
    if (brought === undefined) {
      brought = this.#bring(clientId).finally(() => this.#brought.delete(clientId))
      this.#brought.set(clientId, brought)
    }
    return brought
  }

  /** Resolves when the client, if it is just coming as of that epoch, has come or not. */
  async settled(clientId: string, epoch: number): Promise<void> {
    const arriving = this.#arriving.get(clientId)
    if (arriving?.epoch === epoch) await arriving.done
  }

  async #bring(clientId: string): Promise<Client | undefined> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const record = await this.#options.records.read(clientId)
      if (record === undefined) return undefined
      const client = this.#options.clients.make(clientId, record.epoch + 1)
      const arrival = this.#arrive(client, record.keeper, record.channels)
      // Who waits for it only wants it over; its error is thrown below.
      this.#arriving.set(clientId, { epoch: client.epoch, done: arrival.catch(() => undefined) })
      try {
        if (await arrival) return client.isGone ? undefined : client
      } finally {
        this.#arriving.delete(clientId)
      }
    }
    throw new Error('other processes claim the client again and again')
  }

  /** Whether it came: not if another process was quicker. */
  async #arrive(client: Client, lastKeeper: string, channels: readonly string[]): Promise<boolean> {
    const { clients, feeds, records, nodeId, askForHandover } = this.#options
    const { clientId, epoch } = client
    const startedAt = performance.now()
    try {
      if (channels.length > 1) client.mayHearTwice()
      for (const channel of channels) client.channels.add(channel)
      await Promise.all(channels.map((channel) => feeds.add(channel, client)))
      const left = await records.claim(clientId, epoch - 1)
      if (left === undefined) {
        clients.dismiss(client)
        return false
      }
      const isOther = lastKeeper !== '' && lastKeeper !== nodeId
      const withinMs = performance.now() - startedAt + marginMs
      const { waiting, heard }: Handover = isOther
        ? await askForHandover(lastKeeper, clientId, epoch - 1, withinMs)
        : { waiting: [], heard: [] }
      // What was left is taken out of the record, before anybody gets it. It is said again with every renewal, so a Redis
      // that is away just now must not lose what was handed over.
      await records.keep([client]).catch(ignore)
      // More waited for it by now than may: it has to begin anew.
      if (client.isGone) await records.drop(client)
      else clients.add(client)
      client.arrive(once([...left, ...waiting]), new Set(heard))
      return true
    } catch (error) {
      clients.dismiss(client)
      throw error
    }
  }
}

function ignore(): void {}

function once(deliveries: readonly Delivery[]): Delivery[] {
  return [...new Map(deliveries.map((delivery) => [delivery.id, delivery])).values()]
}
