// Owns the record of a subject's steps: when work went on, and with which errors it did not.

interface Step {
  readonly from: number
  readonly to: number
  readonly code: string | undefined
}

/** Moments are those of `performance.now()`. */
export class Pulse {
  readonly #steps: Step[] = []

  /** A step that began at `from` and ends now, with an error of this code or none. */
  note(from: number, code?: string): void {
    this.#steps.push({ from, to: performance.now(), code })
  }

  /** How many steps there were. */
  get count(): number {
    return this.#steps.length
  }

  /** How often which code came. */
  get failures(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const { code } of this.#steps) if (code !== undefined) counts[code] = (counts[code] ?? 0) + 1
    return counts
  }

  /** The longest step of all, in ms. */
  get slowestMs(): number {
    return this.#steps.reduce((slowest, { from, to }) => Math.max(slowest, to - from), 0)
  }

  /** How many steps succeeded since then, unless one that began since then, and behind them, failed. */
  streakSince(moment: number): number {
    return this.#unbroken(moment).length
  }

  /** When the first of these ended; undefined before there is one. */
  resumedSince(moment: number): number | undefined {
    const ends = this.#unbroken(moment).map(({ to }) => to)
    return ends.length === 0 ? undefined : Math.min(...ends)
  }

  #unbroken(moment: number): Step[] {
    // One that began before, and waited in vain, says nothing of now.
    const failed = this.#steps.filter(({ from, code }) => code !== undefined && from >= moment)
    const lastFailed = failed.reduce((last, { from }) => Math.max(last, from), 0)
    return this.#steps.filter(({ from, to, code }) => code === undefined && to >= moment && from > lastFailed)
  }
}
