// Comes round to each line once in an interval, in the order and at the distance in which they came. All in one turn of the
// event loop would hold up everybody: ten thousand pings, and then as many answers at once.

/** How it comes round. */
export interface RoundsOptions<Item> {
  readonly everyMs: number
  /** Must not throw. */
  readonly act: (item: Item) => void
}

// Between two looks at who is due: pings of this time leave in one turn.
const mostStepMs = 50

/** Since the interval is the same for all, who was added, or seen to, the longest ago is due first. */
export class Rounds<Item> {
  readonly #options: RoundsOptions<Item>
  readonly #due = new Map<Item, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: RoundsOptions<Item>) {
    this.#options = options
  }

  start(): void {
    const { everyMs } = this.#options
    this.#timer = setInterval(this.#step, Math.min(mostStepMs, Math.ceil(everyMs / 10)))
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** From an interval later on. */
  add(item: Item): void {
    this.#due.set(item, performance.now() + this.#options.everyMs)
  }

  delete(item: Item): void {
    this.#due.delete(item)
  }

  readonly #step = (): void => {
    const now = performance.now()
    for (const [item, due] of this.#due) {
      if (due > now) return
      // To the end, where this walk ends before.
      this.#due.delete(item)
      this.add(item)
      this.#options.act(item)
    }
  }
}
