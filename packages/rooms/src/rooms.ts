// The facade: what users call.
import { toError } from 'fastify-ah-kit'
import type { Connection } from './connection.ts'
import type { Engine } from './engine.ts'
import { AH_ROOMS_FORBIDDEN, AH_ROOMS_OPTIONS } from './errors.ts'
import { Injected } from './injected.ts'
import { roomName } from './room-name.ts'
import { shown } from './shown.ts'
import type {
  DisconnectOptions,
  EventHandler,
  InjectedClient,
  InjectOptions,
  Receivers,
  RoomConnection,
  RoomMiddleware,
  RoomStatus,
  RoomsEvents,
  RoomsStats,
  Target,
} from './types.ts'

const longestAckMs = 600_000

/** Rooms, their members, and what is said in them, on all nodes. */
export class Rooms {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Makes a room. Rejects with `AH_ROOMS_EXISTS` if there is one, with `AH_ROOMS_NAME` for what is no name. */
  async add(room: string): Promise<void> {
    await this.#engine.store.createNew(roomName(room))
  }

  /** Tells its members, and takes it away: they are out, its history is gone. Rejects with `AH_ROOMS_NOT_FOUND`. */
  async destroy(room: string): Promise<void> {
    const name = roomName(room)
    await this.broadcast(null, name, 'this room has been deleted').catch((thrown: unknown) => {
      const error = toError(thrown) as Error & { code?: string }
      if (/^AH_(KIT|ROOMS_NOT_FOUND)/.test(error.code ?? '')) throw error
      // A middleware's word is about messages.
      this.#engine.log.debug({ err: error, room: name }, 'the members of a room that goes could not be told why')
    })
    await this.#engine.store.destroy(name)
  }

  async exists(room: string): Promise<boolean> {
    return this.#engine.store.exists(roomName(room))
  }

  /** The names of all rooms, sorted. */
  list(): Promise<string[]> {
    return this.#engine.store.list()
  }

  /** Who is in it, on all nodes. Rejects with `AH_ROOMS_NOT_FOUND`. */
  async roomStatus(room: string): Promise<RoomStatus> {
    return this.#engine.roomStatus(roomName(room))
  }

  /** Lets a connection of any node in, as if it had asked: `authorize.join` and middleware have their say. */
  async addMember(connectionId: string, room: string): Promise<void> {
    await this.#engine.remote.join(connectionId, roomName(room))
  }

  /** Takes one out; `leave` middleware may forbid it. */
  async removeMember(connectionId: string, room: string): Promise<void> {
    await this.#engine.remote.leave(connectionId, roomName(room))
  }

  /**
   * Says something in a room, for a connection of this node or, with null, for the server (`from: '0'`). Answers the id of the
   * message, once Redis has it, or undefined if middleware has it not said. Rejects with `AH_ROOMS_NOT_FOUND`, `AH_ROOMS_NO_MEMBER`, `AH_ROOMS_MESSAGE`, with what
   * middleware throws, or with the kit's `AH_KIT_REDIS_*`.
   */
  async broadcast(connection: RoomConnection | null, room: string, message: unknown): Promise<string | undefined> {
    const name = roomName(room)
    const say = await this.#engine.broadcast.prepare(this.#own(connection), name, message)
    return say()
  }

  /** Those whom an event is for: a room, or all connections of a user. */
  to(target: Target): Receivers {
    const { broadcast, remote } = this.#engine
    const to = targetIn(target)
    return {
      emit: async (event, data) => {
        eventName(event)
        if (typeof to === 'string') await broadcast.emit(null, to, event, data)
        else await remote.emit(to.user, event, data)
      },
      emitWithAck: async (event, data, { timeoutMs = 5_000 } = {}) => {
        eventName(event)
        if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > longestAckMs) {
          throw new AH_ROOMS_OPTIONS(
            `emitWithAck: option "timeoutMs": expected whole ms from 1 to ${longestAckMs}, got ${shown(timeoutMs)}`,
          )
        }
        return remote.ask(to, event, data, timeoutMs)
      },
    }
  }

  /**
   * Hears of connections and members (`connection`, `disconnect`, `join`, `leave`), or answers an event that clients emit:
   * one handler for each, what it answers is the acknowledgement. Answers how to stop.
   */
  on<Name extends keyof RoomsEvents>(event: Name, listener: (what: RoomsEvents[Name]) => unknown): () => void
  on(event: string, handler: EventHandler): () => void
  on(event: string, listener: (...args: never[]) => unknown): () => void {
    return this.#engine.events.on(event, listener)
  }

  /** As in ActionHero. Throws `AH_ROOMS_MIDDLEWARE` for what is none, and for a name that is taken. */
  addMiddleware(middleware: RoomMiddleware): void {
    this.#engine.middlewares.add(middleware)
  }

  /** Sends to a connection of any node. Rejects with `AH_ROOMS_NO_CONNECTION`. */
  async send(connectionId: string, message: unknown): Promise<void> {
    await this.#engine.remote.send(connectionId, message)
  }

  /** Closes a connection, or all of a user, on whatever node; answers how many. */
  async disconnect(who: string | { readonly user: string }, options: DisconnectOptions = {}): Promise<number> {
    return this.#engine.remote.disconnect(targetIn(who), options)
  }

  /** The connections of this node. */
  connections(): readonly RoomConnection[] {
    return this.#engine.connections.all
  }

  /** A client without a socket, for tests. Rejects with `AH_ROOMS_FORBIDDEN` where `authorize.connect` says no. */
  async inject(options: InjectOptions = {}): Promise<InjectedClient> {
    const { headers = {}, url = '/', ...given } = options
    const { connections, protocol } = this.#engine
    const request = { headers, url, ip: '127.0.0.1' }
    const identified = 'user' in given || 'data' in given ? given : await this.#engine.identify(request)
    if (identified === false) throw new AH_ROOMS_FORBIDDEN('authorize.connect said no')
    return new Injected({ connections, protocol, request, identified })
  }

  /** What happened here so far, in numbers. */
  stats(): RoomsStats {
    const { connections, live, broadcast, counts, sockets } = this.#engine
    const { cut, refused, tooFast } = sockets
    return { connections: connections.size, rooms: live.size, heard: broadcast.heard, ...counts, cut, refused, tooFast }
  }

  #own(connection: RoomConnection | null): Connection | null {
    if (connection === null) return null
    const found = this.#engine.connections.find(connection.id)
    if (found !== undefined) return found
    throw new AH_ROOMS_OPTIONS(`broadcast: expected a connection of this node or null, got ${shown(connection)}`)
  }
}

function targetIn(target: Target): Target {
  if (typeof target === 'string' && target !== '') return target
  if (typeof target === 'object' && target !== null && typeof target.user === 'string') return { user: target.user }
  throw new AH_ROOMS_OPTIONS(`expected a name or { user }, got ${shown(target)}`)
}

function eventName(event: unknown): void {
  if (typeof event === 'string' && event !== '' && event.length <= 256) return
  throw new AH_ROOMS_OPTIONS(`an event has a name of 1 to 256 characters, got ${shown(event)}`)
}
