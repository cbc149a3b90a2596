// Work that is asked for in the same turn of the event loop leaves in one go.
import { AH_KIT_BATCH_BROKEN, AH_KIT_BATCH_CLOSED, toError } from './errors.ts'

/** How a {@link TickBatch} sends, and how much at a time. */
export interface TickBatchOptions<Item, Result> {
  readonly name: string
  /**
   * Sends items in the order of their calls; answers one result for each, in that order. An Error in a place rejects
   * that item alone; a throw rejects them all.
   */
  readonly send: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>
  /** Most items in one `send`; default 500. */
  readonly maxItems?: number
  /** Most bytes in one `send`, by `sizeOf`; default 1 MiB. A single larger item leaves alone. */
  readonly maxBytes?: number
  /** Bytes of an item; default 0, which turns the cap in bytes off. */
  readonly sizeOf?: (item: Item) => number
  /** At most one `send` at a time: what comes meanwhile makes up the next one. Default false. */
  readonly serial?: boolean
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: Error) => void
}

/**
 * Gathers what is added in one turn and sends it at the end of that turn: no timer, so a lone item waits for nothing
 * but the code that is running. The order of calls is kept within a batch, and between batches as far as `send`
 * keeps it (always with `serial`).
 */
export class TickBatch<Item, Result> {
  readonly #options: Required<TickBatchOptions<Item, Result>>
  #waiting: Waiting<Item, Result>[] = []
  #bytes = 0
  #isScheduled = false
  #inFlight = 0
  #isClosed = false
  #onIdle: (() => void)[] = []

  constructor(options: TickBatchOptions<Item, Result>) {
    this.#options = { maxItems: 500, maxBytes: 1024 * 1024, sizeOf: () => 0, serial: false, ...options }
  }

  /** Items that have not left yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Adds an item to this turn's batch. Rejects with `AH_KIT_BATCH_CLOSED` after `close()`. */
  add(item: Item): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new AH_KIT_BATCH_CLOSED(this.#options.name))
    return new Promise((resolve, reject) => {
      const size = this.#options.sizeOf(item)
      // The cap closes a batch early; a serial one is cut when it leaves, since it may not leave now.
      if (!this.#options.serial && this.#isFull(size)) this.#flush()
      this.#waiting.push({ item, resolve, reject })
      this.#bytes += size
      this.#schedule()
    })
  }

  /**
   * Sends now what was added in this turn: for a caller who is about to send something by another way that has to come
   * behind it. A serial batch that is under way goes on by itself.
   */
  flush(): void {
    if (!this.#options.serial || this.#inFlight === 0) this.#flush()
  }

  /**
   * Rejects what has not left yet: for a serial batch whose `send` has just learnt that nothing can be sent for now, and
   * would have the others wait as long once more.
   */
  rejectWaiting(error: Error): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    for (const { reject } of waiting) reject(error)
    this.#endIfIdle()
  }

  /**
   * Takes no more items, sends those that wait and resolves when the last is answered, however that went. Ends in time
   * if `send` does. Twice is fine.
   */
  async close(): Promise<void> {
    this.#isClosed = true
    while (this.#waiting.length > 0 || this.#inFlight > 0) {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve))
    }
  }

  #isFull(size: number): boolean {
    const { maxItems, maxBytes } = this.#options
    const count = this.#waiting.length
    return count > 0 && (count >= maxItems || this.#bytes + size > maxBytes)
  }

  #schedule(): void {
    if (this.#isScheduled || (this.#options.serial && this.#inFlight > 0)) return
    this.#isScheduled = true
    // Ticks that are asked for by a promise job run after all promise jobs: callers that were woken by one reply, or by
    // what they made of it, land in one batch, wherever the first of them stood.
    queueMicrotask(this.#atTurnsEnd)
  }

  readonly #atTurnsEnd = (): void => process.nextTick(this.#leave)

  readonly #leave = (): void => {
    this.#isScheduled = false
    this.#flush()
  }

  #flush(): void {
    if (this.#waiting.length === 0) return
    const batch = this.#options.serial ? this.#cut() : this.#waiting
    if (batch === this.#waiting) {
      this.#waiting = []
      this.#bytes = 0
    }
    this.#inFlight += 1
    void this.#send(batch)
  }

  /** The first items of a serial queue up to the caps; the rest stays. */
  #cut(): Waiting<Item, Result>[] {
    const { maxItems, maxBytes, sizeOf } = this.#options
    let count = 0
    let bytes = 0
    for (const { item } of this.#waiting) {
      const size = sizeOf(item)
      if (count > 0 && (count >= maxItems || bytes + size > maxBytes)) break
      count += 1
      bytes += size
    }
    this.#bytes -= bytes
    return this.#waiting.splice(0, count)
  }

  async #send(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.send(batch.map(({ item }) => item))
      if (results.length !== batch.length) {
        throw new AH_KIT_BATCH_BROKEN(this.#options.name, batch.length, results.length)
      }
      // Counted: this runs for every item of every batch.
      for (let index = 0; index < batch.length; index += 1) {
        const { resolve, reject } = batch[index] as Waiting<Item, Result>
        const result = results[index] as Result | Error
        if (result instanceof Error) reject(result)
        else resolve(result)
      }
    } catch (thrown) {
      const error = toError(thrown)
      for (const { reject } of batch) reject(error)
    }
    this.#inFlight -= 1
    if (this.#waiting.length > 0) this.#schedule()
    else this.#endIfIdle()
  }

  #endIfIdle(): void {
    if (this.#inFlight === 0) for (const done of this.#onIdle.splice(0)) done()
  }
}
