// How much a client may send: so many a second, and a few at once.

/** What becomes of a message: taken, refused, or too many were refused by now. */
export type Verdict = 'pass' | 'refuse' | 'close'

/** A bucket of `burst` tokens that fills by `perSecond`. As many refusals as it has tokens, and it is over. */
export class Rate {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #refused = 0
  #at: number

  constructor(perSecond: number, burst: number, now: number = performance.now()) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#at = now
  }

  take(now: number = performance.now()): Verdict {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs)
    this.#at = now
    // Who has been quiet for so long has slowed down.
    if (this.#tokens >= this.#burst) this.#refused = 0
    if (this.#tokens >= 1) {
      this.#tokens -= 1
      return 'pass'
    }
    this.#refused += 1
    return this.#refused > this.#burst ? 'close' : 'refuse'
  }
}
