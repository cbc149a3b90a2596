// The names in Redis: of keys and channels, all of one room in one slot.
import type { KeySpace } from 'fastify-ah-kit/redis'

/** Off Cluster without tags. ActionHero's own (29: `chatRoom:…`) are others: its servers and ours do not share rooms. */
export class RoomKeys {
  readonly #space: KeySpace
  readonly #isTagged: boolean

  constructor(space: KeySpace, isTagged: boolean) {
    this.#space = space
    this.#isTagged = isTagged
  }

  /** Set: names of all rooms. On Cluster it lies on another master than the rooms. */
  get index(): string {
    return `${this.#space.prefix}rooms`
  }

  /** Whether one script may touch the index and a room. */
  get isIndexNear(): boolean {
    return !this.#isTagged
  }

  /** Hash: id of each member → its details as JSON. */
  members(room: string): string {
    return this.#space.key('roomMembers', room).replace('roomMembers:', 'roomMembers-')
  }

  /** Hash: `epoch`, `last`. It is there as long as the room. */
  meta(room: string): string {
    return this.#space.key('room-meta', room)
  }

  /** Stream: the last messages. */
  history(room: string): string {
    return this.#space.key('room-history', room)
  }

  /** What records begin with by which a message that is sent twice is said once. */
  sayRecord(room: string): string {
    return this.#space.key('room-say', room)
  }

  /** Likewise, of members that are taken out. */
  dropRecord(room: string): string {
    return this.#space.key('room-drop', room)
  }

  /** The Redis channel. No name is a pattern: `*` is encoded. */
  channel(room: string): string {
    const key = this.#space.key('room-channel', room)
    return key.slice(0, key.length - room.length) + encodeURIComponent(room).replaceAll('*', '%2A')
  }

  /** Sorted set: id of each node → when its lease ends. The keys of nodes share a slot. */
  get leases(): string {
    return this.#space.key('room-leases', 'list')
  }

  /** Set: ids of nodes that died, whose members are to be taken out. */
  get graves(): string {
    return this.#space.key('room-graves', 'list')
  }

  /** The shared last-beat. */
  get beat(): string {
    return this.#space.key('room-beat', 'list')
  }

  /** Set: the rooms in which a node may have members. */
  roomsOf(node: string): string {
    return this.#space.key('room-node', node)
  }
}
