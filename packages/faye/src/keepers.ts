// Does what a client asks of its channels where the client is kept: here, or in the process that keeps it.
import type { Arrivals } from './arrivals.ts'
import { bayeuxError, tryAgain } from './bayeux.ts'
import type { Channels } from './channels.ts'
import type { Client } from './client.ts'
import type { Clients } from './clients.ts'
import { type Asker, type Outcome, PagedHandover } from './handover.ts'
import type { Records } from './records.ts'

/** What a client can ask of its channels. */
export type Change = 'subscribe' | 'unsubscribe' | 'disconnect'

/** What it works with. */
export interface KeepersOptions {
  readonly clients: Clients
  readonly arrivals: Arrivals
  readonly channels: Channels
  readonly records: Records
  readonly asker: Asker
  readonly nodeId: string
}

const changes: ReadonlySet<unknown> = new Set<Change>(['subscribe', 'unsubscribe', 'disconnect'])
const mostAdopted = 100

/** This process and the others, which have the same one. */
export class Keepers {
  readonly #options: KeepersOptions
  readonly #pages = new PagedHandover()
  /** It keeps no more clients. */
  isClosing = false

  constructor(options: KeepersOptions) {
    this.#options = options
  }

  /** What is wrong, in Bayeux' words, or undefined when it is done. Rejects if Redis does not answer. */
  async change(clientId: string, verb: Change, names: readonly string[]): Promise<string | undefined> {
    const { arrivals, clients, records, asker, nodeId } = this.#options
    const here = clients.kept(clientId)
    if (here !== undefined) return this.#change(here, verb, names)
    const keeper = (await records.read(clientId))?.keeper
    if (keeper === undefined) return bayeuxError.clientUnknown(clientId)
    if (keeper !== '' && keeper !== nodeId) {
      const outcome = await asker.outcome(keeper, { verb, clientId, channels: names })
      if (outcome?.isKept === true) return outcome.error
    }
    if (this.isClosing) return tryAgain
    const client = await arrivals.bring(clientId)
    return client === undefined ? bayeuxError.clientUnknown(clientId) : this.#change(client, verb, names)
  }

  /** Answers what another process asks. */
  async answer(asked: unknown): Promise<unknown> {
    const question = (typeof asked === 'object' && asked !== null ? asked : {}) as Record<string, unknown>
    const { verb, clientId, epoch, withinMs, channels, clientIds } = question
    if (verb === 'adopt') return this.#adopt(clientIds)
    if (typeof clientId !== 'string') return null
    if (verb === 'release' && typeof epoch === 'number') {
      const within = typeof withinMs === 'number' ? withinMs : 0
      await this.#options.arrivals.settled(clientId, epoch)
      const handover = this.#options.clients.release(clientId, epoch, within)
      return handover === undefined ? null : this.#pages.begin(clientId, epoch, handover)
    }
    if (verb === 'more' && typeof epoch === 'number') return this.#pages.more(clientId, epoch)
    return changes.has(verb) ? this.#changeForOther(clientId, verb as Change, channels) : null
  }

  async #changeForOther(clientId: string, verb: Change, names: unknown): Promise<Outcome> {
    const client = this.#options.clients.kept(clientId)
    if (client === undefined || client.isGone) return { isKept: false }
    const channels = Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
    const error = await this.#change(client, verb, channels)
    return error === undefined ? { isKept: true } : { isKept: true, error }
  }

  #change(client: Client, verb: Change, names: readonly string[]): Promise<string | undefined> {
    return this.#options.channels[verb](client, names)
  }

  /** The clients of a process that ends: those that are kept here now. */
  async #adopt(clientIds: unknown): Promise<string[]> {
    if (this.isClosing || !Array.isArray(clientIds)) return []
    const wanted = clientIds.filter((clientId) => typeof clientId === 'string').slice(0, mostAdopted)
    const brought = await Promise.allSettled(wanted.map((clientId) => this.#options.arrivals.bring(clientId)))
    return wanted.filter((_, index) => {
      const result = brought[index]
      return result?.status === 'fulfilled' && result.value !== undefined
    })
  }
}
