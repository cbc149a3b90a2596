// What one node asks of the others: things that only the node of a connection can do.
import type { PubSub } from 'fastify-ah-pubsub'
import { type Connection, checkDisconnect } from './connection.ts'
import type { Connections } from './connections.ts'
import { AH_ROOMS_NO_CONNECTION } from './errors.ts'
import type { LiveRooms } from './live-rooms.ts'
import type { Membership } from './membership.ts'
import type { DisconnectOptions, EventAnswer, Target } from './types.ts'

/** What it works with. */
export interface RemoteOptions {
  readonly pubsub: Pick<PubSub, 'handle' | 'callAll'>
  /** Of the calls; the same in all nodes of an app. */
  readonly name: string
  readonly connections: Connections
  readonly membership: Membership
  readonly live: LiveRooms
}

/** Signed on their way, by pub/sub: only servers of the app can say them. */
type Order =
  | { readonly what: 'send'; readonly to: string; readonly message: unknown }
  | { readonly what: 'join' | 'leave'; readonly to: string; readonly room: string }
  | { readonly what: 'disconnect'; readonly to: string | { readonly user: string }; readonly how: DisconnectOptions }
  | { readonly what: 'emit'; readonly to: { readonly user: string }; readonly event: string; readonly data: unknown }
  | {
      readonly what: 'ask'
      readonly to: Target
      readonly event: string
      readonly data: unknown
      readonly timeoutMs: number
    }

// Beside what the connections may take.
const travelMs = 2_000

/** One call of the app's nodes. */
export class Remote {
  readonly #options: RemoteOptions
  readonly #forget: () => void

  constructor(options: RemoteOptions) {
    this.#options = options
    this.#forget = options.pubsub.handle(options.name, (order: unknown) => this.#obey(order as Order))
  }

  close(): void {
    this.#forget()
  }

  /** Rejects with `AH_ROOMS_NO_CONNECTION` where there is none of that id. */
  async send(id: string, message: unknown): Promise<void> {
    await this.#one(id, { what: 'send', to: id, message })
  }

  async join(id: string, room: string): Promise<void> {
    await this.#one(id, { what: 'join', to: id, room })
  }

  async leave(id: string, room: string): Promise<void> {
    await this.#one(id, { what: 'leave', to: id, room })
  }

  /** How many were closed. */
  async disconnect(to: string | { readonly user: string }, how: DisconnectOptions): Promise<number> {
    checkDisconnect(how)
    const order: Order = { what: 'disconnect', to, how }
    const here = typeof to === 'string' && this.#options.connections.find(to) !== undefined
    const answers = here ? [await this.#obey(order)] : await this.#all(order)
    return answers.reduce<number>((sum, count) => sum + Number(count), 0)
  }

  async emit(user: string, event: string, data: unknown): Promise<void> {
    await this.#all({ what: 'emit', to: { user }, event, data: data ?? null })
  }

  async ask(to: Target, event: string, data: unknown, timeoutMs: number): Promise<EventAnswer[]> {
    const order: Order = { what: 'ask', to, event, data: data ?? null, timeoutMs }
    return ((await this.#all(order, timeoutMs + travelMs)) as EventAnswer[][]).flat()
  }

  async #one(id: string, order: Order): Promise<void> {
    if (this.#options.connections.find(id) !== undefined) {
      await this.#obey(order)
      return
    }
    if (!(await this.#all(order)).includes(true)) throw new AH_ROOMS_NO_CONNECTION(id)
  }

  /** What the nodes answer. Rejects with an error of the rooms of one; a node that has died meanwhile says nothing. */
  async #all(order: Order, timeoutMs?: number): Promise<unknown[]> {
    const { pubsub, name } = this.#options
    const answers = await pubsub.callAll(name, order, timeoutMs === undefined ? {} : { timeoutMs })
    const said: unknown[] = []
    for (const answer of answers) {
      if ('result' in answer) said.push(answer.result)
      else if (isOurs(answer.error)) throw answer.error
    }
    return said
  }

  async #obey(order: Order): Promise<unknown> {
    const { connections, membership } = this.#options
    switch (order.what) {
      case 'send':
        return this.#with(order.to, (connection) => connection.send(order.message))
      case 'join':
        return this.#with(order.to, (connection) =>
          membership.join(connection, order.room, {
            onJoined: (joined) => connection.reply({ context: 'api', status: 'joined', room: order.room, ...joined }),
          }),
        )
      case 'leave':
        return this.#with(order.to, async (connection) => {
          await membership.leave(connection, order.room)
          connection.reply({ context: 'api', status: 'left', room: order.room, reason: 'removed by the server' })
        })
      case 'disconnect': {
        const meant = this.#meant(order.to)
        for (const connection of meant) connection.disconnect(order.how)
        return meant.length
      }
      case 'emit': {
        const meant = connections.of(order.to.user)
        for (const connection of meant) connection.reply({ context: 'event', event: order.event, data: order.data })
        return meant.length
      }
      case 'ask':
        return this.#ask(order)
      default:
        // Of a newer release.
        return undefined
    }
  }

  async #ask({ to, event, data, timeoutMs }: Order & { what: 'ask' }): Promise<EventAnswer[]> {
    const isRoom = typeof to === 'string'
    const meant = isRoom ? [...(this.#options.live.find(to)?.members ?? [])] : this.#options.connections.of(to.user)
    const more = isRoom ? { room: to } : {}
    const answers = meant.map(async (connection) => ({
      from: connection.id,
      answer: await connection.ask(event, data, timeoutMs, more),
    }))
    return (await Promise.all(answers)).flatMap(({ from, answer }) =>
      answer === undefined ? [] : [{ from, data: answer.data }],
    )
  }

  #meant(to: string | { readonly user: string }): readonly Connection[] {
    const { connections } = this.#options
    if (typeof to !== 'string') return connections.of(to.user)
    const connection = connections.find(to)
    return connection === undefined ? [] : [connection]
  }

  async #with(id: string, act: (connection: Connection) => unknown): Promise<boolean> {
    const connection = this.#options.connections.find(id)
    if (connection === undefined) return false
    await act(connection)
    return true
  }
}

function isOurs(error: Error & { code?: unknown }): boolean {
  return typeof error.code === 'string' && error.code.startsWith('AH_') && !error.code.startsWith('AH_PUBSUB_')
}
