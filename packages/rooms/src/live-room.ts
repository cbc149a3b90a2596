// A room as this node sees it: its members here, and how far they have heard.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { TickBatch, toError } from 'fastify-ah-kit'
import type { Connection } from './connection.ts'
import { AH_ROOMS_NOT_FOUND } from './errors.ts'
import { type Gone, laterThan, type Messages, readFrame, type Said } from './frame.ts'
import { compareIds } from './message-id.ts'
import type { Outcome, RoomStore, Wish } from './store/room-store.ts'

/** What it works with. */
export interface LiveRoomOptions {
  readonly name: string
  readonly store: Pick<RoomStore, 'change'>
  readonly log: FastifyBaseLogger
  /** Messages for connections here. */
  readonly deliver: (room: string, to: Iterable<Connection>, messages: Messages) => void
  /** Messages may be missing for these, and nobody can say which. */
  readonly onGap: (room: string, to: Iterable<Connection>, position: Position) => void
  /** These are members no longer: there is no such room. */
  readonly onGone: (room: string, members: readonly Connection[]) => void
  /** Bytes that are none of ours. */
  readonly onStrange: () => void
}

/** Up to where somebody has heard. */
export interface Position {
  readonly epoch: string
  readonly last: string
}

/** What is told of a join, before anything of the room is sent. */
export interface Joined extends Position {
  /** What follows is all that was missed, and nothing was asked for otherwise. */
  readonly recovered: boolean
}

const mostWishes = 200
const retryMs = 250

/**
 * `members` have heard all up to `position`. A join's answer and the messages come on two connections, so either may be
 * ahead: messages that come before the answer are kept (`recent`), and a member whose answer was ahead (`fresh`) is left
 * out until the messages have reached it. While something is missing, what comes waits (`queue`).
 */
export class LiveRoom {
  readonly name: string
  readonly members = new Set<Connection>()
  readonly #options: LiveRoomOptions
  readonly #lane: TickBatch<Wish, Outcome>
  readonly #fresh = new Map<Connection, string>()
  readonly #goneEpochs = new Set<string>()
  #joining = 0
  #recent: Said[] = []
  #queue: Said[] | undefined
  #position: { epoch: string; last: string } | undefined
  #isStale = false
  #isClosed = false

  constructor(options: LiveRoomOptions) {
    this.#options = options
    this.name = options.name
    this.#lane = new TickBatch<Wish, Outcome>({
      name: 'members of a room',
      serial: true,
      maxItems: mostWishes,
      sizeOf: ({ details }) => details.length,
      send: (wishes) => options.store.change(options.name, wishes),
    })
  }

  /** Of the room whose members these are; undefined while there are none. */
  get epoch(): string | undefined {
    return this.#position?.epoch
  }

  /** Also when the app ends, for what waits. */
  close(): void {
    this.#isClosed = true
  }

  /** One wish, behind those before it. */
  wish(wish: Wish): Promise<Outcome> {
    return this.#lane.add(wish)
  }

  /**
   * Lets a connection in. `onJoined` is called in the very moment, before anything of the room is sent to it. Rejects with
   * `AH_ROOMS_NOT_FOUND`, or when Redis cannot be asked: then it may be a member there.
   */
  async join(
    member: Connection,
    details: string,
    heard: Position | undefined,
    onJoined: (joined: Joined) => void,
  ): Promise<void> {
    this.#joining += 1
    try {
      const outcome = await this.wish({ what: 'join', id: member.id, details, heard })
      if (outcome.epoch === undefined || this.#goneEpochs.has(outcome.epoch)) throw new AH_ROOMS_NOT_FOUND(this.name)
      this.#admit(member, outcome as Outcome & Position, onJoined)
    } finally {
      this.#joining -= 1
      if (this.#joining === 0) {
        this.#recent = []
        this.#goneEpochs.clear()
      }
    }
  }

  /** Nothing more of the room is sent to it. */
  remove(member: Connection): boolean {
    this.#fresh.delete(member)
    return this.members.delete(member)
  }

  /** Never throws. */
  hear(bytes: Buffer): void {
    const frame = readFrame(bytes.toString())
    if (frame === undefined) this.#options.onStrange()
    else if ('gone' in frame) this.#end(frame)
    else this.#take(frame)
  }

  /** Messages may have been missed on the way: asks Redis. */
  lookAgain(): void {
    if (this.#position === undefined) return
    // What is asked just now may have been asked before.
    if (this.#queue !== undefined) this.#isStale = true
    else this.#catchUp()
  }

  #admit(member: Connection, { epoch, last, missed }: Outcome & Position, onJoined: (joined: Joined) => void): void {
    // Made anew since the others came, and the news of its end was missed, or is still on its way.
    if (this.#position !== undefined && this.#position.epoch !== epoch) this.#expel()
    this.members.add(member)
    onJoined({ epoch, last, recovered: missed !== undefined })
    if (missed !== undefined && missed.ids.length > 0) this.#options.deliver(this.name, [member], missed)
    const early = this.#recent.filter((said) => said.epoch === epoch)
    let reached = last
    for (const said of early) {
      const behind = laterThan(said, reached)
      if (behind.ids.length === 0) continue
      reached = behind.ids.at(-1) as string
      this.#options.deliver(this.name, [member], behind)
    }
    this.#position ??= { epoch, last: reached }
    if (compareIds(this.#position.last, reached) < 0) this.#fresh.set(member, reached)
  }

  #take(said: Said): void {
    const position = this.#position
    if (position === undefined) {
      if (this.#joining > 0) this.#recent.push(said)
      return
    }
    if (this.#queue !== undefined) {
      this.#queue.push(said)
      return
    }
    if (said.epoch === position.epoch && compareIds(said.prev, position.last) <= 0) {
      this.#apply(laterThan(said, position.last))
      return
    }
    this.#queue = [said]
    this.#catchUp()
  }

  #apply({ ids, texts }: Messages): void {
    const position = this.#position
    if (position === undefined || ids.length === 0) return
    const { deliver } = this.#options
    if (this.#joining > 0) this.#recent.push({ epoch: position.epoch, prev: position.last, ids, texts })
    position.last = ids.at(-1) as string
    if (this.#fresh.size === 0) {
      deliver(this.name, this.members, { ids, texts })
      return
    }
    deliver(
      this.name,
      [...this.members].filter((member) => !this.#fresh.has(member)),
      { ids, texts },
    )
    for (const [member, reached] of this.#fresh) {
      const behind = laterThan({ ids, texts }, reached)
      if (behind.ids.length > 0) deliver(this.name, [member], behind)
      if (compareIds(position.last, reached) >= 0) this.#fresh.delete(member)
    }
  }

  #catchUp(): void {
    this.#queue ??= []
    this.#look().catch((thrown: unknown) => {
      // Nothing of it rejects; were it otherwise, the room must not stand still in silence.
      this.#options.log.error({ err: toError(thrown), room: this.name }, 'a room could not catch up')
    })
  }

  async #look(): Promise<void> {
    const { log, onGap } = this.#options
    while (!this.#isClosed && this.#position !== undefined) {
      const heard = { ...this.#position }
      try {
        const outcome = await this.wish({ what: 'look', id: '', details: '', heard })
        if (this.#position?.epoch !== heard.epoch) break
        if (outcome.epoch !== heard.epoch) {
          this.#expel()
          break
        }
        if (outcome.missed !== undefined) this.#apply(outcome.missed)
        else {
          this.#position.last = outcome.last
          this.#fresh.clear()
          onGap(this.name, this.members, this.#position)
        }
        if (!this.#isStale) break
        this.#isStale = false
      } catch (thrown) {
        log.debug({ err: toError(thrown), room: this.name }, 'a room waits for Redis to say what it missed')
        await sleep(retryMs, undefined, { ref: false })
      }
    }
    const queue = this.#queue ?? []
    this.#queue = undefined
    this.#isStale = false
    for (const said of queue) this.#take(said)
  }

  #end({ gone }: Gone): void {
    if (this.#joining > 0) this.#goneEpochs.add(gone)
    if (this.#position?.epoch === gone) this.#expel()
  }

  #expel(): void {
    const members = [...this.members]
    this.members.clear()
    this.#fresh.clear()
    this.#position = undefined
    if (members.length > 0) this.#options.onGone(this.name, members)
  }
}
