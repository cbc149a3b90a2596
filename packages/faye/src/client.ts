// A client that this process keeps: what waits for it, and the connection that it has at the moment.
import type { Delivery } from './delivery.ts'
import { RecentIds } from './recent-ids.ts'
import type { Peer } from './types.ts'

/** How much may wait, and who hears of a client that cannot keep up. */
export interface ClientOptions {
  readonly clientId: string
  /** Which keeper this is in the client's life; ascends with each change. */
  readonly epoch: number
  readonly maxQueued: number
  /** More waits than may: it has missed messages, and must not go on as if it had not. */
  readonly onOverflow: (client: Client) => void
}

interface Hold {
  readonly peer: Peer
  readonly finish: (messages: readonly Delivery[]) => void
}

/**
 * | state | messages |
 * |---|---|
 * | arriving (another process kept it until now) | wait, in the order in which they are heard |
 * | with a websocket | leave at the end of the tick, in one frame |
 * | with a poll | end the poll at the end of the tick |
 * | away | wait, `maxQueued` at most |
 * | gone (forgotten, or kept by another process) | are none of its |
 */
export class Client {
  readonly clientId: string
  readonly epoch: number
  readonly channels = new Set<string>()
  readonly #options: ClientOptions
  #waiting: Delivery[] = []
  #hold: Hold | undefined
  #peer: Peer | undefined
  #awaySince: number | undefined = performance.now()
  #isArriving = true
  #isGone = false
  #isScheduled = false
  #twice: RecentIds | undefined

  constructor(options: ClientOptions) {
    this.clientId = options.clientId
    this.epoch = options.epoch
    this.#options = options
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** Since when it has no connection, in ms of the monotonic clock; undefined while it has one. */
  get awaySince(): number | undefined {
    return this.#awaySince
  }

  /** Channels may overlap from now on: a message that comes by two of them is one message. */
  mayHearTwice(): void {
    this.#twice ??= new RecentIds()
  }

  hear(delivery: Delivery): void {
    if (this.#isGone || this.#isRepeat(delivery)) return
    this.#waiting.push(delivery)
    if (this.#waiting.length > this.#options.maxQueued && (this.#peer === undefined || this.#isArriving)) {
      this.#options.onOverflow(this)
      return
    }
    this.#schedule()
  }

  /** What another process had for it comes first; of what was heard since, what that process had heard too is left out. */
  arrive(before: readonly Delivery[], heardThere: ReadonlySet<string>): void {
    if (!this.#isArriving) return
    this.#isArriving = false
    this.#waiting = [...before, ...this.#waiting.filter(({ id }) => !heardThere.has(id))]
    // That process may hear sooner than this one.
    if (heardThere.size > 0) {
      this.mayHearTwice()
      this.#twice?.addAll(heardThere)
    }
    this.#schedule()
  }

  /** The connection is this one from now on: an older poll ends, an older websocket is closed. */
  attach(peer: Peer): void {
    if (peer === this.#peer || this.#isGone) return
    const older = this.#peer
    if (older !== undefined) {
      this.#leave(older)
      older.socket?.close()
    }
    this.#peer = peer
    this.#awaySince = undefined
    peer.gone.addEventListener('abort', () => this.#leave(peer), { once: true })
    if (peer.gone.aborted) this.#leave(peer)
    this.#schedule()
  }

  /** A connect of the attached peer: what there is, at once; else what comes, or nothing after `timeoutMs`. */
  hold(timeoutMs: number): Promise<readonly Delivery[]> {
    const peer = this.#peer
    this.#hold?.finish([])
    if (peer === undefined || this.#isGone) return Promise.resolve([])
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.finish(), timeoutMs)
      const finish = (messages: readonly Delivery[]): void => {
        clearTimeout(timer)
        this.#hold = undefined
        resolve(messages)
      }
      this.#hold = { peer, finish }
      this.#schedule()
    })
  }

  /** It is not kept here any more; answers what waits. Its poll ends; its websocket only if told to. */
  end(isSocketClosed: boolean): Delivery[] {
    this.#isGone = true
    const waiting = this.#waiting.splice(0)
    const socket = this.#peer?.socket
    if (this.#peer !== undefined) this.#leave(this.#peer)
    if (isSocketClosed) socket?.close()
    return waiting
  }

  /** Its connect is answered now, with what there is: the client asks again, here or elsewhere. */
  finish(): void {
    if (this.#hold === undefined) return
    const { peer, finish } = this.#hold
    if (peer.socket !== undefined || this.#isArriving) {
      finish([])
      return
    }
    finish(this.#waiting.splice(0))
    this.#leave(peer)
  }

  #isRepeat({ id }: Delivery): boolean {
    if (this.#twice === undefined) return false
    if (this.#twice.has(id)) return true
    this.#twice.add(id)
    return false
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return
    this.#isScheduled = true
    // All that one frame of pub/sub brought leaves together.
    process.nextTick(this.#leaveTogether)
  }

  readonly #leaveTogether = (): void => {
    this.#isScheduled = false
    if (this.#isArriving || this.#waiting.length === 0) return
    const peer = this.#peer
    if (peer?.socket === undefined) this.finish()
    else if (peer.socket.send(this.#waiting.map(({ text }) => text))) this.#waiting = []
    else this.#leave(peer)
  }

  #leave(peer: Peer): void {
    if (peer !== this.#peer) return
    this.#peer = undefined
    this.#awaySince = performance.now()
    this.#hold?.finish([])
  }
}
