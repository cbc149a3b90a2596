// Owns the ids of the messages that a client was lately told of: what comes by two of its channels is one message.

// A burst comes whole by one channel, then whole by the next: so long a one is no more than pub/sub puts into one frame.
const most = 10_000
// The copies of a message come within moments of each other: of a quiet channel nothing older has to be known.
const few = 500
const recentMs = 1_000

/** Forgets in halves, so that adding costs the same however many there are. */
export class RecentIds {
  #newer = new Set<string>()
  #older: ReadonlySet<string> = new Set()
  /** Since when ids are added to the newer half, in ms of the monotonic clock. */
  #since = performance.now()

  has(id: string): boolean {
    return this.#newer.has(id) || this.#older.has(id)
  }

  add(id: string): void {
    if (this.#isFull()) this.#turnOver(this.#newer)
    this.#newer.add(id)
  }

  /** These too, however many there are. */
  addAll(ids: Iterable<string>): void {
    this.#turnOver([...this.#older, ...this.#newer, ...ids])
  }

  #turnOver(older: Iterable<string>): void {
    this.#older = new Set(older)
    this.#newer = new Set()
    this.#since = performance.now()
  }

  #isFull(): boolean {
    const { size } = this.#newer
    return size >= few && (size >= most || performance.now() - this.#since > recentMs)
  }
}
