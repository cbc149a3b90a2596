// A room as this node sees it: its members here, and how far they have heard.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { TickBatch, toError } from 'fastify-ah-kit'
import type { Connection } from './connection.ts'
import { AH_ROOMS_NOT_FOUND } from './errors.ts'
import { continues, endingAt, type Gone, laterThan, type Messages, readFrame, type Said } from './frame.ts'
import { compareIds } from './message-id.ts'
import type { Joined, Position } from './position.ts'
import { Recent, type Underway } from './recent.ts'
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
  readonly #recent = new Recent()
  #queue: Said[] | undefined
  #position: { epoch: string; last: string } | undefined
  /** Something may have been missed that nobody has asked for yet. */
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
    const join = this.#recent.begin()
    try {
      const outcome = await this.wish({ what: 'join', id: member.id, details, heard })
      if (outcome.epoch === undefined || this.#goneEpochs.has(outcome.epoch)) throw new AH_ROOMS_NOT_FOUND(this.name)
      this.#admit(member, join, outcome as Outcome & Position, onJoined)
    } finally {
      this.#recent.end(join)
      if (!this.#recent.isNeeded) this.#goneEpochs.clear()
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
    // Whoever is let in first asks; what is asked just now may have been asked before.
    if (this.#queue !== undefined || (this.#position === undefined && this.#recent.isNeeded)) this.#isStale = true
    else if (this.#position !== undefined) this.#catchUp()
  }

  #admit(
    member: Connection,
    join: Underway,
    { epoch, last, ...outcome }: Outcome & Position,
    onJoined: (joined: Joined) => void,
  ): void {
    const { deliver, onGap } = this.#options
    // Made anew since the others came, and the news of its end was missed, or is still on its way.
    if (this.#position !== undefined && this.#position.epoch !== epoch) this.#expel()
    this.members.add(member)
    const missed = outcome.missed && member.fits(outcome.missed.texts) ? outcome.missed : undefined
    onJoined({ epoch, last, recovered: missed !== undefined })
    if (missed !== undefined && missed.ids.length > 0) deliver(this.name, [member], missed)
    let reached = last
    let heard = last
    for (const said of this.#recent.since(join)) {
      if (said.epoch !== epoch || said.ids.length === 0) continue
      heard = said.ids.at(-1) as string
      const behind = laterThan(said, reached)
      // Something between was missed on the way: perhaps it comes, since others ask for it.
      if (behind.ids.length === 0 || compareIds(said.prev, reached) > 0) continue
      reached = heard
      deliver(this.name, [member], behind)
    }
    if (this.#position === undefined) {
      this.#position = { epoch, last: reached }
      if (this.#isStale || compareIds(heard, reached) > 0) this.lookAgain()
    } else if (compareIds(this.#position.last, reached) < 0) this.#fresh.set(member, reached)
    // The others were told so already.
    else if (compareIds(this.#position.last, reached) > 0) onGap(this.name, [member], this.#position)
  }

  #take(said: Said): void {
    const position = this.#position
    if (position === undefined) {
      this.#recent.add(said)
      return
    }
    if (this.#queue !== undefined) {
      this.#queue.push(said)
      return
    }
    if (this.#follows(said)) {
      this.#apply(laterThan(said, position.last))
      return
    }
    this.#queue = [said]
    this.#catchUp()
  }

  #follows(said: Said): boolean {
    return this.#position?.epoch === said.epoch && continues(said, this.#position.last)
  }

  #apply({ ids, texts }: Messages): void {
    const position = this.#position
    if (position === undefined || ids.length === 0) return
    const { deliver } = this.#options
    this.#recent.add({ epoch: position.epoch, prev: position.last, ids, texts })
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
      const position = this.#position
      const before = this.#queue?.length ?? 0
      this.#isStale = false
      try {
        const outcome = await this.wish({ what: 'look', id: '', details: '', heard: { ...position } })
        // Another life of the room, if any.
        if (this.#position !== position) continue
        if (outcome.epoch !== position.epoch) {
          this.#expel()
          continue
        }
        if (outcome.missed !== undefined) this.#apply(outcome.missed)
        else {
          const behind = endingAt(this.#queue ?? [], position.epoch, outcome.last)
          position.last = behind[0]?.prev ?? outcome.last
          this.#fresh.clear()
          onGap(this.name, this.members, position)
          for (const said of behind) this.#apply(said)
        }
        // Redis was asked behind these: what it did not answer, of a room of before or of a server that was lost, never comes.
        this.#queue = this.#queue?.filter((said, index) => index >= before || this.#follows(said))
        if (!this.#isStale) break
      } catch (thrown) {
        log.debug({ err: toError(thrown), room: this.name }, 'a room waits for Redis to say what it missed')
        await sleep(retryMs, undefined, { ref: false })
      }
    }
    const queue = this.#queue ?? []
    this.#queue = undefined
    for (const said of queue) this.#take(said)
  }

  #end({ gone }: Gone): void {
    if (this.#recent.isNeeded) this.#goneEpochs.add(gone)
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
