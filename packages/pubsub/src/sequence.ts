// Owns which frames of which sender were heard: what is missing, and what comes again.

/** What a frame's number says: it follows, it leaves out some, or it was there before. */
export type Place = 'next' | 'gap' | 'repeat'

interface Heard {
  last: number
  /** In ms of the monotonic clock. */
  at: number
  /** Frames may have been missed, and that was told already: whatever number comes is the next. */
  isLoose: boolean
}

// Beyond so many senders those that were silent for long are forgotten.
const manySenders = 1024
const silentMs = 120_000

/** Of one subscription. A sender is one on one channel: behind a wildcard there are many channels. */
export class Sequence {
  readonly #heard = new Map<string, Heard>()
  #sweepAt = manySenders

  /** Notes a frame. A sender's first one is where its count begins for us. */
  note(sender: string, seq: number, isFirst: boolean): Place {
    const now = performance.now()
    const heard = this.#heard.get(sender)
    if (heard === undefined) {
      this.#heard.set(sender, { last: seq, at: now, isLoose: false })
      if (this.#heard.size > this.#sweepAt) this.#forgetSilent(now)
      return 'next'
    }
    if (seq <= heard.last) return 'repeat'
    const isNext = seq === heard.last + 1 || heard.isLoose || isFirst
    heard.last = seq
    heard.at = now
    heard.isLoose = false
    return isNext ? 'next' : 'gap'
  }

  /** Frames may have been missed, and that is told: the next one of each sender is no news. */
  loosen(): void {
    for (const heard of this.#heard.values()) heard.isLoose = true
  }

  // All at once and rarely: who sends on thousands of channels, once each, costs no more than a look at each now and then.
  #forgetSilent(now: number): void {
    for (const [sender, { at }] of this.#heard) if (now - at > silentMs) this.#heard.delete(sender)
    this.#sweepAt = Math.max(manySenders, this.#heard.size * 2)
  }
}
