// Says messages: on their way in through middleware and Redis, on their way out to the members here.
import type { FastifyBaseLogger } from 'fastify'
import { TickBatch, toError } from 'fastify-ah-kit'
import sjson from 'secure-json-parse'
import { type Connection, textOf } from './connection.ts'
import { AH_ROOMS_FORBIDDEN, AH_ROOMS_MESSAGE, AH_ROOMS_NO_MEMBER } from './errors.ts'
import type { Messages } from './frame.ts'
import type { Middlewares } from './middleware.ts'
import { Parcel } from './parcel.ts'
import type { RoomStore } from './store/room-store.ts'
import { type RoomsTrace, traced, traces } from './traces.ts'
import type { Authorize, RoomMessage } from './types.ts'

/** What it works with. */
export interface BroadcastOptions {
  readonly store: Pick<RoomStore, 'say'>
  readonly middlewares: Middlewares
  readonly authorize: Authorize
  readonly maxMessageBytes: number
  readonly log: FastifyBaseLogger
}

// A script has less than 8000 arguments, and holds up the others while it runs.
const mostAtOnce = 200
const mostBytes = 524_288
/** The server, where a connection stands. */
const server = '0'

/** One lane for each room: what is said in one turn, or while the last is under way, is one script and one publication. */
export class Broadcast {
  readonly #options: BroadcastOptions
  readonly #lanes = new Map<string, TickBatch<string, string>>()
  heard = 0

  constructor(options: BroadcastOptions) {
    this.#options = options
  }

  /**
   * Decides on a message; answers what says it, with its id. Who awaits this before the next call keeps the order of
   * messages, without waiting for Redis.
   */
  async prepare(
    connection: Connection | null,
    room: string,
    message: unknown,
  ): Promise<() => Promise<string | undefined>> {
    const { authorize, middlewares } = this.#options
    if (message === undefined || message === null) throw new AH_ROOMS_MESSAGE('a message is required')
    checkMember(connection, room)
    if (connection !== null && authorize.say !== undefined) {
      if ((await authorize.say(connection, room, message)) !== true) {
        throw new AH_ROOMS_FORBIDDEN(`not allowed to say that in this room: ${room}`)
      }
    }
    const from = connection?.id ?? server
    const draft: RoomMessage = { context: 'user', room, from, message, sentAt: Date.now() }
    const said = middlewares.has('onSayReceive') ? await middlewares.runOnSayReceive(connection, draft) : draft
    // It may have left, or been thrown out, while that was decided.
    checkMember(connection, room)
    if (said === null) return async () => undefined
    const context = (): RoomsTrace => ({ connection: from, room, message: said.message })
    return () =>
      traced(traces.say, context, () => this.#add(room, { context: 'user', room, from }, 'message', said.message))
  }

  /** An event for all members. */
  async emit(from: Connection | null, room: string, event: string, data: unknown): Promise<void> {
    const id = from?.id ?? server
    const context = (): RoomsTrace => ({ connection: id, room, event, data })
    const add = (): Promise<string> =>
      this.#add(room, { context: 'event', room, from: id, event }, 'data', data ?? null)
    await traced(traces.emit, context, add)
  }

  /** Messages of a room for connections here, each in its order. */
  deliver(room: string, to: Iterable<Connection>, { texts }: Messages): void {
    this.heard += texts.length
    const { middlewares } = this.#options
    if (!middlewares.has('say')) {
      const parcel = new Parcel(texts)
      for (const connection of to) connection.push(parcel)
      return
    }
    for (const connection of to) connection.pushLater(this.#ownTexts(connection, room, texts))
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()))
  }

  async #add(room: string, head: object, name: 'message' | 'data', body: unknown): Promise<string> {
    const { maxMessageBytes } = this.#options
    // By itself: in an object JSON leaves out what it cannot hold.
    const text = `${JSON.stringify(head).slice(0, -1)},"${name}":${textOf(body)}`
    if (text.length * 3 > maxMessageBytes && Buffer.byteLength(text) > maxMessageBytes + 2_048) {
      throw new AH_ROOMS_MESSAGE(`the message is longer than ${maxMessageBytes} bytes`)
    }
    // Without its last brace: Redis adds to it.
    return this.#laneOf(room).add(text)
  }

  #laneOf(room: string): TickBatch<string, string> {
    const known = this.#lanes.get(room)
    if (known !== undefined) return known
    const lane: TickBatch<string, string> = new TickBatch<string, string>({
      name: 'messages of a room',
      serial: true,
      maxItems: mostAtOnce,
      maxBytes: mostBytes,
      sizeOf: ({ length }) => length,
      send: async (heads) => {
        try {
          return await this.#options.store.say(room, heads)
        } finally {
          if (lane.waiting === 0) this.#lanes.delete(room)
        }
      },
    })
    this.#lanes.set(room, lane)
    return lane
  }

  async #ownTexts(connection: Connection, room: string, texts: readonly string[]): Promise<Parcel | undefined> {
    const own: string[] = []
    for (const text of texts) {
      try {
        const message = sjson.parse(text) as RoomMessage
        const isSaid = message.context === 'user'
        const given = isSaid ? await this.#options.middlewares.runSay(connection, message) : undefined
        if (given !== null) own.push(given === undefined ? text : textOf(given))
      } catch (thrown) {
        this.#options.log.warn({ err: toError(thrown), room }, 'a middleware kept a message from a member')
      }
    }
    return own.length === 0 ? undefined : new Parcel(own)
  }
}

function checkMember(connection: Connection | null, room: string): void {
  if (connection !== null && !connection.memberOf.has(room)) throw new AH_ROOMS_NO_MEMBER(room)
}
