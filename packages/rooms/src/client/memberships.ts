// The rooms that the client is in, or will be in again, up to where each was heard, and who waits to get in.
import type { Link } from './link.ts'
import type { Listeners } from './listeners.ts'
import { isLater } from './message-order.ts'
import type { Message } from './requests.ts'
import { failure, RoomsError } from './rooms-error.ts'
import type { RequestOptions } from './types.ts'

type Joined = { recovered: boolean }

interface Waiter {
  readonly take: (joined: Joined) => void
  readonly give: (error: unknown) => void
}

interface Room {
  /** With `last`: up to where it was heard. */
  epoch?: unknown
  last?: unknown
  isIn: boolean
  /** The server was told to let it out, and has not answered. */
  isLeaving: boolean
  readonly waiting: Set<Waiter>
}

/** What it works with. */
export interface MembershipsOptions {
  readonly timeoutMs: number
  readonly link: Pick<Link, 'isOpen' | 'drop'>
  readonly listeners: Listeners
  readonly ask: (message: Message, options?: RequestOptions) => Promise<Message>
  /** What there is to say of the connection when an answer did not come. */
  readonly why: () => string
}

const never = 2 ** 31 - 1
// A message of rooms to come back to stays below what a server takes by default, whatever their names.
const mostResumed = 16_000
/** The server's trouble, not its answer. */
const isPassing = (code: string): boolean => /^AH_(KIT_|PUBSUB_|CLIENT_|ROOMS_CLOSED)/.test(code)

export class Memberships {
  readonly #options: MembershipsOptions
  readonly #rooms = new Map<string, Room>()

  constructor(options: MembershipsOptions) {
    this.#options = options
  }

  get names(): string[] {
    return [...this.#rooms].flatMap(([name, { isLeaving }]) => (isLeaving ? [] : [name]))
  }

  join(room: string, { timeoutMs = this.#options.timeoutMs, signal }: RequestOptions): Promise<Joined> {
    const known = this.#wanted(room)
    if (known?.isIn) return Promise.resolve({ recovered: true })
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const entry: Room = known ?? { isIn: false, isLeaving: false, waiting: new Set() }
      this.#rooms.set(room, entry)
      const abort = (): void => giveUp(signal?.reason)
      const settle = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        entry.waiting.delete(waiter)
      }
      const waiter: Waiter = {
        take: (joined) => {
          settle()
          resolve(joined)
        },
        give: (error) => {
          settle()
          reject(error)
        },
      }
      const giveUp = (error: unknown): void => {
        waiter.give(error)
        // Nobody else wants it, and it was never in.
        if (entry.waiting.size === 0 && !entry.isIn && entry.epoch === undefined) {
          this.#depart(room, entry).catch(() => undefined)
        }
      }
      const late = (): void => giveUp(failure('TIMEOUT', `not in ${room} after ${timeoutMs} ms${this.#options.why()}`))
      const timer = setTimeout(late, timeoutMs)
      signal?.addEventListener('abort', abort)
      entry.waiting.add(waiter)
      // Otherwise it is said when there is a connection, with the others.
      if (this.#options.link.isOpen && known === undefined) this.#enter(room, entry)
    })
  }

  async leave(room: string, options?: RequestOptions): Promise<void> {
    const entry = this.#wanted(room)
    if (entry === undefined) return
    for (const { give } of entry.waiting) give(failure('CLOSED', `${room} was left meanwhile`))
    await this.#depart(room, entry, options)
  }

  /** There is a connection: back into all of them, from where each was. */
  resume(): void {
    let part: [string, object][] = []
    let size = 0
    for (const room of this.names) {
      const { epoch, last } = this.#rooms.get(room) as Room
      part.push([room, epoch === undefined ? {} : { epoch, last }])
      size += room.length + 50
      if (size < mostResumed) continue
      this.#resume(part)
      part = []
      size = 0
    }
    if (part.length > 0) this.#resume(part)
  }

  /** The connection is gone. */
  lose(): void {
    for (const [room, entry] of this.#rooms) {
      entry.isIn = false
      if (entry.isLeaving) this.#rooms.delete(room)
    }
  }

  end(error: Error): void {
    for (const { waiting } of this.#rooms.values()) for (const { give } of waiting) give(error)
    this.#rooms.clear()
  }

  /** Whether this message was not heard before the connection broke. */
  isNews(room: string, epoch: unknown, id: unknown): boolean {
    const entry = this.#rooms.get(room)
    if (entry === undefined) return true
    if (entry.epoch === epoch && entry.last !== undefined && !isLater(id, entry.last)) return false
    this.moved(room, epoch, id)
    return true
  }

  /** Up to where it was heard. */
  moved(room: string, epoch: unknown, last: unknown): void {
    const entry = this.#rooms.get(room)
    if (entry !== undefined) Object.assign(entry, { epoch, last })
  }

  /** It is a member. */
  joined(room: string, { epoch, last, recovered }: Message): void {
    const entry = this.#rooms.get(room) ?? { isIn: true, isLeaving: false, waiting: new Set<Waiter>() }
    if (entry.isLeaving) return
    this.#rooms.set(room, entry)
    const isRecovered = recovered === true
    entry.isIn = true
    if (epoch !== undefined) Object.assign(entry, { epoch }, isRecovered && entry.last !== undefined ? {} : { last })
    for (const { take } of entry.waiting) take({ recovered: isRecovered })
    this.#options.listeners.tell('joined', { room, recovered: isRecovered })
  }

  /** It is no member. */
  left(room: string, reason: string, error: Error = failure('CLOSED', reason)): void {
    const entry = this.#rooms.get(room)
    this.#rooms.delete(room)
    for (const { give } of entry?.waiting ?? []) give(error)
    this.#options.listeners.tell('left', { room, reason })
  }

  #wanted(room: string): Room | undefined {
    const entry = this.#rooms.get(room)
    return entry?.isLeaving ? undefined : entry
  }

  #enter(room: string, entry: Room): void {
    // Who waits looks at the clock.
    this.#options.ask({ event: 'roomAdd', room }, { timeoutMs: never }).then(
      (reply) => {
        if (this.#rooms.get(room) === entry) this.joined(room, reply)
      },
      (error: RoomsError) => {
        if (this.#rooms.get(room) !== entry) return
        // By a join that was given up, or by the server: it is in.
        if (error.code === 'AH_ROOMS_MEMBER') this.joined(room, {})
        // With the next connection it is asked again.
        else if (!error.code.startsWith('AH_CLIENT_')) this.left(room, error.message, error)
      },
    )
  }

  /** The server takes one message after the other: what was asked before is answered before. */
  async #depart(room: string, entry: Room, options?: RequestOptions): Promise<void> {
    const { link, ask } = this.#options
    const forget = (): void => {
      if (this.#rooms.get(room) === entry) this.#rooms.delete(room)
    }
    if (!link.isOpen) {
      forget()
      return
    }
    const wasIn = entry.isIn
    entry.isLeaving = true
    try {
      await ask({ event: 'roomLeave', room }, options)
      forget()
    } catch (thrown) {
      // The server's own no, a middleware's: it is in. Whatever else happened, it is out.
      const code = thrown instanceof RoomsError ? thrown.code : 'AH_'
      if (wasIn && !code.startsWith('AH_')) entry.isLeaving = false
      else forget()
      if (wasIn && !['AH_CLIENT_DISCONNECTED', 'AH_CLIENT_CLOSED', 'AH_ROOMS_NO_MEMBER'].includes(code)) throw thrown
    }
  }

  #resume(part: [string, object][]): void {
    const { ask, link } = this.#options
    ask({ event: 'resume', rooms: Object.fromEntries(part) }).then(
      ({ data }) => {
        const refused = Object.entries(data as Record<string, { error?: unknown; code?: unknown }>).flatMap(
          ([room, { error, code }]) =>
            error === undefined ? [] : [[room, new RoomsError(String(code ?? ''), String(error))]],
        ) as [string, RoomsError][]
        for (const [room, error] of refused) if (!isPassing(error.code)) this.#refuse(room, error)
        // With another connection, after a while.
        if (refused.some(([, { code }]) => isPassing(code))) link.drop('the rooms could not be joined')
      },
      (error: RoomsError) => {
        if (isPassing(error.code)) link.drop('the rooms could not be joined')
        else for (const [room] of part) this.#refuse(room, error)
      },
    )
  }

  #refuse(room: string, error: RoomsError): void {
    if (error.code === 'AH_ROOMS_MEMBER' || this.#wanted(room) === undefined) return
    this.left(room, error.message, error)
  }
}
