// Owns what was true of a key when, as Redis' MONITOR told it.

/** How far apart two notes of one instant may be, in ms: Redis counts ends in whole ones, and so do the readers' clocks. */
const blurMs = 2

interface Span {
  readonly value: string | undefined
  readonly from: number
  readonly to: number
}

/** The values of one key one after the other; undefined while there is none. Times in ms since 1970. */
export class Timeline {
  readonly #past: Span[] = []
  #value: string | undefined
  #from = 0
  #end = Number.POSITIVE_INFINITY

  /** From `at` on the key holds this; for `ms`, if it ends by itself. */
  set(at: number, value: string | undefined, ms = Number.POSITIVE_INFINITY): void {
    this.#close(at)
    this.#value = value
    this.#from = at
    this.#end = at + ms
  }

  /** What it holds, if anything, ends after this time. */
  renew(at: number, ms: number): void {
    if (this.#value !== undefined && at < this.#end) this.#end = at + ms
  }

  /** How long before `at` the value was true for the last time, until `at` itself; undefined: never. */
  ageOf(value: string | undefined, begun: number, ended: number): number | undefined {
    let age: number | undefined
    for (const span of [...this.#past, ...this.#now()]) {
      if (span.value !== value || span.from - blurMs > ended) continue
      const since = Math.max(0, begun - span.to - blurMs)
      age = age === undefined ? since : Math.min(age, since)
    }
    return age
  }

  #close(at: number): void {
    this.#past.push(...this.#now(at))
  }

  #now(until = Number.POSITIVE_INFINITY): Span[] {
    const to = Math.min(until, this.#end)
    const span = { value: this.#value, from: this.#from, to }
    return to < until ? [span, { value: undefined, from: to, to: until }] : [span]
  }
}
