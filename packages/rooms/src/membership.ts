// Who is a member of which room: decided here, kept in Redis.
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import { type Connection, textOf } from './connection.ts'
import { type Debt, Debts } from './debts.ts'
import {
  AH_ROOMS_CLOSED,
  AH_ROOMS_FORBIDDEN,
  AH_ROOMS_MEMBER,
  AH_ROOMS_NO_MEMBER,
  AH_ROOMS_NOT_FOUND,
  AH_ROOMS_TOO_MANY,
} from './errors.ts'
import type { Events } from './events.ts'
import type { LiveRoom } from './live-room.ts'
import type { LiveRooms } from './live-rooms.ts'
import type { Middlewares } from './middleware.ts'
import type { Joined, Position } from './position.ts'
import type { NodeIndex } from './store/node-index.ts'
import { type RoomsTrace, traced, traces } from './traces.ts'
import type { Authorize, MemberDetails } from './types.ts'

/** What it works with. */
export interface MembershipOptions {
  readonly live: LiveRooms
  readonly middlewares: Middlewares
  readonly events: Events
  readonly index: Pick<NodeIndex, 'id' | 'markOf'>
  /** Whether there is such a room. */
  readonly exists: (room: string) => Promise<boolean>
  readonly authorize: Authorize
  readonly generateMemberDetails: ((connection: Connection) => MemberDetails | Promise<MemberDetails>) | undefined
  readonly maxRooms: number
  /** Somebody has joined under an id that this node has no more. */
  readonly onFormer: () => void
  readonly log: FastifyBaseLogger
}

/** How a connection joins. */
export interface JoinOptions {
  /** The last message of the room that it has heard. */
  readonly heard?: Position
  /** Called in the moment it is a member, before anything of the room is sent to it. */
  readonly onJoined?: (joined: Joined) => void
}

/**
 * A connection is a member here first, and then in Redis, or it leaves here first, and then there. What Redis could not be
 * told is owed, and paid with the next sign of life: nobody stays a member that is none.
 */
export class Membership {
  readonly #options: MembershipOptions
  readonly #debts = new Debts()
  readonly #details = new WeakMap<Connection, Map<string, MemberDetails>>()

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  get isOwing(): boolean {
    return this.#debts.size > 0
  }

  join(connection: Connection, room: string, options: JoinOptions = {}): Promise<void> {
    const context = (): RoomsTrace => ({ connection: connection.id, room })
    return traced(traces.join, context, () => this.#join(connection, room, options))
  }

  /** Runs what may forbid it, and then it is out. */
  leave(connection: Connection, room: string): Promise<void> {
    const context = (): RoomsTrace => ({ connection: connection.id, room })
    return traced(traces.leave, context, () => this.#leave(connection, room))
  }

  async #join(connection: Connection, room: string, { heard, onJoined }: JoinOptions): Promise<void> {
    const { live, middlewares, authorize, events, index, exists, onFormer } = this.#options
    this.#begin(connection, room)
    try {
      if (authorize.join !== undefined && (await authorize.join(connection, room)) !== true) {
        throw new AH_ROOMS_FORBIDDEN(`not allowed to join this room: ${room}`)
      }
      // Middleware hears of rooms alone, and whatever a client makes up is not listened to.
      if (live.find(room) === undefined && !(await exists(room))) throw new AH_ROOMS_NOT_FOUND(room)
      await middlewares.runJoin(connection, room)
      const details = await this.#detailsOf(connection)
      const liveRoom = await live.hold(room)
      // What was not told yet comes before this.
      if (this.#debts.forgive(room, connection.id)) live.release(room)
      const node = index.id
      let isIn = false
      try {
        await liveRoom.join(connection, this.#textOf(details), heard, (joined) => {
          // Closed meanwhile.
          if (connection.isClosed) return
          isIn = true
          connection.memberOf.add(room)
          this.#remember(connection, room, details)
          events.emit('join', { room, connectionId: connection.id, connection, details })
          onJoined?.(joined)
        })
        if (!isIn) throw new AH_ROOMS_CLOSED()
        if (index.id !== node) onFormer()
      } catch (thrown) {
        liveRoom.remove(connection)
        // Redis holds it to be one, or nobody knows.
        this.#tell(room, connection.id).catch((cause: unknown) => this.#reportLater(cause, room))
        throw thrown
      }
    } finally {
      connection.joining.delete(room)
    }
  }

  async #leave(connection: Connection, room: string): Promise<void> {
    if (!connection.memberOf.has(room)) throw new AH_ROOMS_NO_MEMBER(room)
    await this.#options.middlewares.runLeave(connection, room)
    // Somebody else may have taken it out meanwhile.
    if (this.#remove(connection, room)) await this.#tell(room, connection.id)
  }

  /** It is closed: nothing keeps it in its rooms. Never rejects. */
  async leaveAll(connection: Connection): Promise<void> {
    await Promise.all([...connection.memberOf].map((room) => this.#leaveClosed(connection, room)))
  }

  /** There is no such room any more. */
  dismiss(room: string, members: readonly Connection[]): void {
    for (const connection of members) {
      if (!this.#remove(connection, room)) continue
      this.#options.live.release(room)
      connection.reply({ context: 'api', room, status: 'left', reason: 'the room was destroyed' })
      this.#options.middlewares.runLeave(connection, room).catch((thrown: unknown) => this.#report(thrown, room))
    }
  }

  /** Tells Redis again who is a member here: with `isReborn`, of a node that has another id now. */
  async renew(room: LiveRoom, isReborn: boolean): Promise<void> {
    const { events, log } = this.#options
    const { epoch } = room
    const members = epoch === undefined ? [] : [...room.members]
    const kept = members.map(async (connection) => {
      const details = this.#recall(connection, room.name)
      const heard = { epoch: epoch as string, last: '' }
      const what = isReborn ? 'renew' : 'keep'
      const { isNew } = await room.wish({ what, id: connection.id, details: this.#textOf(details), heard })
      // Others have taken it out, and said so.
      if (isNew) events.emit('join', { room: room.name, connectionId: connection.id, connection, details })
    })
    room.lookAgain()
    for (const result of await Promise.allSettled(kept)) {
      if (result.status === 'rejected') throw toError(result.reason)
    }
    log.debug({ room: room.name, members: members.length }, 'the members of a room were told to Redis again')
  }

  /** Tells Redis what it could not be told before. */
  async pay(): Promise<void> {
    const { live } = this.#options
    const paid = this.#debts.all.flatMap(([room, debts]) => {
      const liveRoom = live.find(room)
      return [...debts].map(async ([id, debt]) => {
        if (liveRoom !== undefined) await this.#wishLeave(liveRoom, id, debt)
        else this.#debts.forgive(room, id)
      })
    })
    for (const result of await Promise.allSettled(paid)) {
      if (result.status === 'rejected') throw toError(result.reason)
    }
  }

  #begin(connection: Connection, room: string): void {
    const { maxRooms } = this.#options
    if (connection.isClosed) throw new AH_ROOMS_CLOSED()
    if (connection.memberOf.has(room) || connection.joining.has(room)) throw new AH_ROOMS_MEMBER(room)
    if (connection.memberOf.size + connection.joining.size >= maxRooms) throw new AH_ROOMS_TOO_MANY(maxRooms)
    connection.joining.add(room)
  }

  async #leaveClosed(connection: Connection, room: string): Promise<void> {
    if (!this.#remove(connection, room)) return
    try {
      await this.#options.middlewares.runLeave(connection, room)
    } catch (thrown) {
      this.#report(thrown, room)
    }
    await this.#tell(room, connection.id).catch((thrown: unknown) => this.#reportLater(thrown, room))
  }

  /** Out of all that is kept here. Whether it was in. */
  #remove(connection: Connection, room: string): boolean {
    if (!connection.memberOf.delete(room)) return false
    this.#options.live.find(room)?.remove(connection)
    const details = this.#recall(connection, room)
    this.#details.get(connection)?.delete(room)
    this.#options.events.emit('leave', { room, connectionId: connection.id, connection, details })
    return true
  }

  /** Redis is told that it has left; the room is held until it knows. */
  async #tell(room: string, id: string): Promise<void> {
    const debt = this.#debts.owe(room, id)
    const liveRoom = this.#options.live.find(room)
    if (liveRoom !== undefined) await this.#wishLeave(liveRoom, id, debt)
  }

  async #wishLeave(room: LiveRoom, id: string, debt: Debt): Promise<void> {
    await room.wish({ what: 'leave', id, details: '', heard: undefined })
    if (this.#debts.pay(room.name, id, debt)) this.#options.live.release(room.name)
  }

  async #detailsOf(connection: Connection): Promise<MemberDetails> {
    const own = await this.#options.generateMemberDetails?.(connection)
    return { ...own, id: connection.id, joinedAt: Date.now() }
  }

  #textOf(details: MemberDetails): string {
    const { node: _, ...rest } = details
    return this.#options.index.markOf(this.#options.index.id) + textOf(rest, 'the details of a member').slice(1)
  }

  #remember(connection: Connection, room: string, details: MemberDetails): void {
    const known = this.#details.get(connection)
    if (known === undefined) this.#details.set(connection, new Map([[room, details]]))
    else known.set(room, details)
  }

  #recall(connection: Connection, room: string): MemberDetails {
    return this.#details.get(connection)?.get(room) ?? {}
  }

  #reportLater(thrown: unknown, room: string): void {
    this.#options.log.debug({ err: toError(thrown), room }, 'a connection that has left is still a member in Redis')
  }

  #report(thrown: unknown, room: string): void {
    this.#options.log.error({ err: toError(thrown), room }, 'a middleware failed at the leaving of a connection')
  }
}
