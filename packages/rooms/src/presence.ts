// This node's sign of life in the rooms, and the burial of those that show none.
import type { FastifyBaseLogger } from 'fastify'
import { Loop } from 'fastify-ah-kit'
import sjson from 'secure-json-parse'
import type { Events } from './events.ts'
import type { LiveRooms } from './live-rooms.ts'
import type { Membership } from './membership.ts'
import type { NodeIndex } from './store/node-index.ts'
import type { RoomStore } from './store/room-store.ts'
import type { MemberDetails } from './types.ts'

/** What it works with. */
export interface PresenceOptions {
  readonly index: NodeIndex
  readonly store: Pick<RoomStore, 'drop'>
  readonly live: LiveRooms
  readonly membership: Membership
  readonly events: Events
  readonly leaseMs: number
  /** Redis has lost what it knew, or this node was taken for dead. */
  readonly onReborn: () => Promise<void>
  readonly log: FastifyBaseLogger
}

/** Every third of a lease: beats, pays what is owed to Redis, and takes out the members of dead nodes. */
export class Presence {
  readonly #options: PresenceOptions
  readonly #loop: Loop
  #isToRenew = false

  constructor(options: PresenceOptions) {
    this.#options = options
    const { log } = options
    this.#loop = new Loop({
      name: 'sign of life of the rooms',
      step: () => this.#beat(),
      onError: (err, failures) => {
        // Once an outage.
        if (failures === 1) log.warn({ err }, 'the rooms could not show a sign of life; it is tried again')
      },
    })
  }

  async start(): Promise<void> {
    await this.#options.index.enter()
    this.#loop.start()
  }

  /** The manager has seen a process die. */
  async bury(bootId: string): Promise<void> {
    await this.#options.index.bury(bootId)
    this.#loop.wake()
  }

  /** Its members join again under the id that this node has now. */
  renew(): void {
    this.#isToRenew = true
    this.#loop.wake()
  }

  async stop(): Promise<void> {
    await this.#loop.stop()
  }

  async #beat(): Promise<number> {
    const { index, membership, leaseMs } = this.#options
    const { isKnown, dead } = await index.beat()
    if (!isKnown) {
      await index.enterAnew()
      this.#isToRenew = true
    }
    if (this.#isToRenew) await this.#renew()
    if (membership.isOwing) await membership.pay()
    for (const node of dead) await this.#takeOut(node)
    return leaseMs / 3
  }

  /** Under its new id this node has no rooms and no members yet. */
  async #renew(): Promise<void> {
    const { index, live, membership, onReborn, log } = this.#options
    log.warn({ node: index.id }, 'this node was taken for dead, or Redis has forgotten it: its members join again')
    await onReborn()
    for (const room of live.all) {
      await index.add(room.name)
      await membership.renew(room, true)
    }
    await index.buryFormerSelf()
    this.#isToRenew = false
  }

  /** Whoever is quicker takes a member out, and says so. */
  async #takeOut(node: string): Promise<void> {
    const { index, store, events, log } = this.#options
    let count = 0
    for (const room of await index.roomsOf(node)) {
      for (let isMore = true; isMore; ) {
        const { dropped, isMore: isAnother } = await store.drop(room, index.markOf(node))
        isMore = isAnother
        count += dropped.length
        for (const [connectionId, text] of dropped) {
          events.emit('leave', { room, connectionId, connection: undefined, details: detailsIn(text) })
        }
      }
    }
    await index.forget(node)
    if (count > 0) log.info({ node, members: count }, 'the members of a node that died were taken out of their rooms')
  }
}

/** What some release has written. */
export function detailsIn(text: string): MemberDetails {
  const value: unknown = sjson.safeParse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  const { node: _, ...details } = value as Record<string, unknown>
  return details
}
