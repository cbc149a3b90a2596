// The rooms in Redis: each call one script or command.
import { randomBytes } from 'node:crypto'
import { type RedisConnection, RepeatGuard } from 'fastify-ah-kit/redis'
import { AH_ROOMS_EXISTS, AH_ROOMS_NOT_FOUND } from '../errors.ts'
import type { RoomKeys } from '../keys.ts'
import { changeMembers } from '../scripts/change-members.ts'
import { createRoom } from '../scripts/create-room.ts'
import { destroyRoom } from '../scripts/destroy-room.ts'
import { dropMembers } from '../scripts/drop-members.ts'
import { sayInRoom } from '../scripts/say-in-room.ts'

/** What somebody wants of a room's members. */
export interface Wish {
  readonly what: 'join' | 'keep' | 'renew' | 'leave' | 'look'
  /** Id of the connection; '' to look. */
  readonly id: string
  /** JSON. */
  readonly details: string
  /** The last message that was heard, if what was missed is asked for. */
  readonly heard: { readonly epoch: string; readonly last: string } | undefined
}

/** What became of it. */
export interface Outcome {
  /** Of the room as it is now; undefined: there is none. */
  readonly epoch: string | undefined
  /** Id of its last message. */
  readonly last: string
  /** What was missed, if that is known for sure. */
  readonly missed: { readonly ids: readonly string[]; readonly texts: readonly string[] } | undefined
  /** Of who is a member now: it was none before. */
  readonly isNew: boolean
}

/** What it is made of. */
export interface RoomStoreOptions {
  readonly connection: RedisConnection
  readonly keys: RoomKeys
  readonly publishCommand: 'PUBLISH' | 'SPUBLISH'
  readonly historySize: number
  readonly historyMs: number
  /** Most bytes of what was missed. */
  readonly mostMissedBytes: number
}

/** See the scripts for what may be sent twice. */
export class RoomStore {
  readonly #options: RoomStoreOptions
  readonly #guard: RepeatGuard

  constructor(options: RoomStoreOptions) {
    this.#options = options
    this.#guard = new RepeatGuard(options.connection)
  }

  /** False if there is one already. */
  async create(room: string): Promise<boolean> {
    const { connection, keys } = this.#options
    const epoch = randomBytes(9).toString('base64url')
    const index = keys.isIndexNear ? [keys.index] : []
    const isMade = (await connection.run<number>(createRoom, [keys.meta(room), ...index], [epoch, room])) === 1
    // A repeat of this, or of the room's first making that was broken off between the two.
    if (!keys.isIndexNear) await connection.write('SADD', [keys.index, room])
    return isMade
  }

  async createNew(room: string): Promise<void> {
    if (!(await this.create(room))) throw new AH_ROOMS_EXISTS(room)
  }

  async destroy(room: string): Promise<void> {
    const { connection, keys, publishCommand } = this.#options
    const epoch = await this.#epochOf(room)
    const index = keys.isIndexNear ? [keys.index] : []
    const names = [keys.meta(room), keys.members(room), keys.history(room), keys.channel(room), ...index]
    await connection.run(destroyRoom, names, [epoch, room, publishCommand])
    if (keys.isIndexNear) return
    await connection.write('SREM', [keys.index, room])
    // Somebody may have made it again in between.
    if (await this.exists(room)) await connection.write('SADD', [keys.index, room])
  }

  async exists(room: string): Promise<boolean> {
    const { connection, keys } = this.#options
    return (await connection.read<number>('EXISTS', [keys.meta(room)])) === 1
  }

  async list(): Promise<string[]> {
    const { connection, keys } = this.#options
    return (await connection.read<string[]>('SMEMBERS', [keys.index])).sort()
  }

  /** Id of each member, and its details as JSON. */
  async members(room: string): Promise<[string, string][]> {
    const { connection, keys } = this.#options
    await this.#epochOf(room)
    return pairsOf(await connection.read<string[] | Record<string, string>>('HGETALL', [keys.members(room)]))
  }

  /** Wishes of one room, in their order. */
  async change(room: string, wishes: readonly Wish[]): Promise<Outcome[]> {
    const { connection, keys, mostMissedBytes } = this.#options
    const args = wishes.flatMap(({ what, id, details, heard }) => [
      what,
      id,
      details,
      heard?.epoch ?? '',
      heard?.last ?? '',
    ])
    type Answer = [epoch: string, last: string, answers: (number | string[])[]]
    const [epoch, last, answers] = await connection.run<Answer>(
      changeMembers,
      [keys.meta(room), keys.members(room), keys.history(room)],
      [mostMissedBytes, ...args],
    )
    return wishes.map((_, index) => {
      const code = answers[index * 2] as number
      const isNew = code >= 2
      const found = answers[index * 2 + 1] as string[]
      if (code === -1) return { epoch: undefined, last: '', missed: undefined, isNew: false }
      return { epoch, last, missed: code % 2 === 1 ? missedIn(found) : undefined, isNew }
    })
  }

  /** Messages as {@link sayInRoom} wants them, one room's at a time; answers their ids. */
  async say(room: string, heads: readonly string[]): Promise<string[]> {
    const { keys, publishCommand, historySize, historyMs } = this.#options
    const names = [keys.meta(room), keys.history(room), keys.channel(room)]
    const args = [publishCommand, historySize, historyMs, ...heads]
    const ids = await this.#guard.run<string | null>(sayInRoom, keys.sayRecord(room), names, args)
    if (ids === null) throw new AH_ROOMS_NOT_FOUND(room)
    return ids.split(' ')
  }

  /** Takes out some of those whose details begin with the mark; answers them, and whether there are more. */
  async drop(room: string, mark: string): Promise<{ readonly dropped: [string, string][]; readonly isMore: boolean }> {
    const { keys } = this.#options
    const members = keys.members(room)
    type Answer = [more: number, dropped: string[]]
    const [more, dropped] = await this.#guard.run<Answer>(dropMembers, keys.dropRecord(room), [members], [mark])
    return { dropped: pairsOf(dropped), isMore: more === 1 }
  }

  async #epochOf(room: string): Promise<string> {
    const { connection, keys } = this.#options
    const epoch = await connection.read<string | null>('HGET', [keys.meta(room), 'epoch'])
    if (epoch === null) throw new AH_ROOMS_NOT_FOUND(room)
    return epoch
  }
}

function missedIn(found: readonly string[]): { ids: string[]; texts: string[] } {
  const pairs = pairsOf(found)
  return { ids: pairs.map(([id]) => id), texts: pairs.map(([, text]) => text) }
}

/** HGETALL answers a list or, from some clients, an object. */
function pairsOf(members: readonly string[] | Record<string, string>): [string, string][] {
  if (!Array.isArray(members)) return Object.entries(members)
  return Array.from({ length: members.length / 2 }, (_, index) => [
    members[index * 2] as string,
    members[index * 2 + 1] as string,
  ])
}
