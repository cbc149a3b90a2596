// What processes ask of each other about clients.
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import type { NodeInfo } from 'fastify-ah-pubsub'
import type { Bus } from './bus.ts'
import type { Handover } from './clients.ts'
import { type Delivery, deliveriesIn } from './delivery.ts'

/** What is asked, of the process that keeps the client; `adopt` of one that may keep these. */
export type Question =
  | { readonly verb: 'release'; readonly clientId: string; readonly epoch: number; readonly withinMs: number }
  | { readonly verb: 'more'; readonly clientId: string; readonly epoch: number }
  | { readonly verb: 'subscribe' | 'unsubscribe'; readonly clientId: string; readonly channels: readonly string[] }
  | { readonly verb: 'disconnect'; readonly clientId: string }
  | { readonly verb: 'adopt'; readonly clientIds: readonly string[] }

/** Whether it was done here; else why not, in Bayeux' words, or that the client is not kept here. */
export interface Outcome {
  readonly isKept: boolean
  readonly error?: string
}

// A keeper answers within milliseconds. One that does not is dead or stands still, and its client waits for us.
const askMs = 2_000
const pageBytes = 262_144

/** Asks others; what they are asked in turn is {@link PagedHandover} and the gate's business. */
export class Asker {
  readonly #bus: Bus
  readonly #name: string
  readonly #log: FastifyBaseLogger

  constructor(bus: Bus, name: string, log: FastifyBaseLogger) {
    this.#bus = bus
    this.#name = name
    this.#log = log
  }

  /** Has the keeper let go of a client. Never rejects: what a dead one had is gone. */
  async handover(keeper: string, clientId: string, epoch: number, withinMs: number): Promise<Handover> {
    const waiting: Delivery[] = []
    let heard: readonly string[] = []
    try {
      let page = await this.#ask<Page | null>(keeper, { verb: 'release', clientId, epoch, withinMs })
      heard = page?.heard ?? []
      while (page !== null) {
        waiting.push(...deliveriesIn(page.waiting))
        page = page.isMore ? await this.#ask<Page | null>(keeper, { verb: 'more', clientId, epoch }) : null
      }
    } catch (thrown) {
      const { code } = toError(thrown) as { code?: string }
      this.#log.info({ node: keeper, code }, 'the process that kept a faye client does not answer')
    }
    return { waiting, heard: Array.isArray(heard) ? heard : [] }
  }

  /** Has the keeper do something with its client; undefined if it does not answer. */
  async outcome(keeper: string, question: Question): Promise<Outcome | undefined> {
    // That it does not answer is what the caller wants to know.
    return this.#ask<Outcome>(keeper, question).catch(() => undefined)
  }

  /** The other processes that serve such clients. */
  async others(ownId: string): Promise<string[]> {
    const nodes = await this.#bus.nodes().catch((): readonly NodeInfo[] => [])
    return nodes.filter(({ id, handles }) => id !== ownId && handles.includes(this.#name)).map(({ id }) => id)
  }

  /** Has one of the other processes keep each of the clients, as long as there is one that does. */
  async adopt(clientIds: readonly string[], others: readonly string[]): Promise<void> {
    let left = [...clientIds]
    for (const node of others) {
      if (left.length === 0) return
      const taken = await this.#ask<string[]>(node, { verb: 'adopt', clientIds: left }).catch((): string[] => [])
      left = left.filter((clientId) => !taken.includes(clientId))
    }
  }

  #ask<Answer>(node: string, question: Question): Promise<Answer> {
    return this.#bus.call(this.#name, question, { node, timeoutMs: askMs }) as Promise<Answer>
  }
}

interface Page extends Handover {
  readonly isMore: boolean
}

/** Hands over in pages, since an answer may only be so long. */
export class PagedHandover {
  readonly #rests = new Map<string, Delivery[]>()

  begin(clientId: string, epoch: number, { waiting, heard }: Handover): Page {
    return this.#page(`${clientId} ${epoch}`, [...waiting], heard)
  }

  more(clientId: string, epoch: number): Page | null {
    const key = `${clientId} ${epoch}`
    const rest = this.#rests.get(key)
    this.#rests.delete(key)
    return rest === undefined ? null : this.#page(key, rest, [])
  }

  #page(key: string, waiting: Delivery[], heard: readonly string[]): Page {
    let count = 0
    for (let bytes = 0; count < waiting.length && bytes < pageBytes; count += 1) {
      bytes += JSON.stringify(waiting[count]).length
    }
    const rest = waiting.slice(count)
    if (rest.length > 0) {
      this.#rests.set(key, rest)
      // Whoever does not ask for more by then is gone.
      setTimeout(() => this.#rests.delete(key), 2 * askMs).unref()
    }
    return { waiting: waiting.slice(0, count), heard, isMore: rest.length > 0 }
  }
}
