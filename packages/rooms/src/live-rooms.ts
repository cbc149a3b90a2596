// The rooms that this node hears: those in which it has members, or will have, or owes Redis that one has left.
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import type { RawSubscriptions } from 'fastify-ah-pubsub'
import type { RoomKeys } from './keys.ts'
import { LiveRoom, type LiveRoomOptions } from './live-room.ts'
import type { NodeIndex } from './store/node-index.ts'

/** What it works with. */
export interface LiveRoomsOptions extends Omit<LiveRoomOptions, 'name'> {
  readonly raw: RawSubscriptions
  readonly keys: RoomKeys
  readonly index: Pick<NodeIndex, 'add' | 'remove'>
  readonly log: FastifyBaseLogger
  /** The connection that hears was lost, and is back. */
  readonly onReturn: (room: LiveRoom) => void
}

interface Entry {
  readonly room: LiveRoom
  readonly ready: Promise<() => Promise<void>>
  holders: number
}

/** Counts who holds a room: subscribed at the first, left with the last. */
export class LiveRooms {
  readonly #options: LiveRoomsOptions
  readonly #entries = new Map<string, Entry>()
  /** Rooms that are being left: whoever wants one again waits for that. */
  readonly #leaving = new Map<string, Promise<void>>()

  constructor(options: LiveRoomsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  get all(): readonly LiveRoom[] {
    return [...this.#entries.values()].map(({ room }) => room)
  }

  find(name: string): LiveRoom | undefined {
    return this.#entries.get(name)?.room
  }

  /** The room, heard from now on; each call needs a {@link release}. Rejects, and holds nothing, if it cannot be heard. */
  async hold(name: string): Promise<LiveRoom> {
    const entry = this.#entries.get(name) ?? this.#open(name)
    entry.holders += 1
    try {
      await entry.ready
    } catch (thrown) {
      this.release(name)
      throw thrown
    }
    return entry.room
  }

  release(name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    entry.holders -= 1
    if (entry.holders > 0) return
    this.#entries.delete(name)
    entry.room.close()
    const left = this.#leave(name, entry).catch((thrown: unknown) => {
      // The subscription ends with its connection; what is left in the index is looked at in vain once.
      this.#options.log.debug({ err: toError(thrown), room: name }, 'a room could not be left')
    })
    const settled = left.finally(() => {
      if (this.#leaving.get(name) === settled) this.#leaving.delete(name)
    })
    this.#leaving.set(name, settled)
  }

  /** Resolves when all that was released is left. */
  async idle(): Promise<void> {
    await Promise.all(this.#leaving.values())
  }

  #open(name: string): Entry {
    const room = new LiveRoom({ ...this.#options, name })
    const ready = this.#subscribe(name, room)
    // Whoever holds it hears of a failure.
    ready.catch(() => undefined)
    const entry = { room, ready, holders: 0 }
    this.#entries.set(name, entry)
    return entry
  }

  async #subscribe(name: string, room: LiveRoom): Promise<() => Promise<void>> {
    const { raw, keys, index, onReturn } = this.#options
    await this.#leaving.get(name)
    // First: what stands in no index nobody would take out, should this process die.
    await index.add(name)
    const held = await raw.subscribe(keys.channel(name), {
      onBytes: (bytes) => room.hear(bytes),
      onGap: () => onReturn(room),
    })
    return () => held.unsubscribe()
  }

  async #leave(name: string, { ready }: Entry): Promise<void> {
    // What was never subscribed need not be left; those who held it heard why.
    const unsubscribe = await ready.catch(() => undefined)
    await unsubscribe?.()
    await this.#options.index.remove(name)
  }
}
