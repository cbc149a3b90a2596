// Owns which calls were heard already: one that was sent again because nobody seemed to listen is carried out once.

// Beyond so many those whose caller waits no longer are forgotten.
const many = 1024

/** By caller and number of the call. */
export class SeenCalls {
  /** Until when its caller waits, in ms of the monotonic clock. */
  readonly #seen = new Map<string, number>()
  #sweepAt = many

  /** Whether it is the first time; the caller waits so many ms. */
  isFirst(from: string, call: number, ms: number): boolean {
    const name = `${call} ${from}`
    if (this.#seen.has(name)) return false
    const now = performance.now()
    if (this.#seen.size >= this.#sweepAt) this.#forgetOld(now)
    this.#seen.set(name, now + ms)
    return true
  }

  #forgetOld(now: number): void {
    for (const [name, until] of this.#seen) if (until < now) this.#seen.delete(name)
    this.#sweepAt = Math.max(many, this.#seen.size * 2)
  }
}
