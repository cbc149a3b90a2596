// Owns what was asked for, what was said of it, and how often it came to be: the difference is what was lost or doubled.

/** An error of the probes' own: what was acknowledged has not come to be in time. It may still. */
export class NotSeenError extends Error {
  readonly code = 'NOT_SEEN'
}

/** The code by which a plugin says that surely nothing was done. */
const surelyNot = 'AH_KIT_REDIS_DOWN'

export class Ledger {
  readonly #acknowledged = new Map<number, number>()
  readonly #refused = new Set<number>()
  readonly #seen = new Map<number, number>()
  readonly #waiting = new Map<number, () => void>()

  /** Notes what becomes of the asking for `n`; rejects as it does. */
  async ask<T>(n: number, asking: Promise<T>): Promise<T> {
    const from = performance.now()
    try {
      const answer = await asking
      this.#acknowledged.set(n, from)
      return answer
    } catch (error) {
      if ((error as { code?: string }).code === surelyNot) this.#refused.add(n)
      throw error
    }
  }

  /** `n` has come to be. */
  see(n: number): void {
    this.#seen.set(n, (this.#seen.get(n) ?? 0) + 1)
    this.#waiting.get(n)?.()
    this.#waiting.delete(n)
  }

  /** Resolves when `n` has come to be; rejects with a {@link NotSeenError} after `ms`. */
  arrival(n: number, ms: number): Promise<void> {
    if (this.#seen.has(n)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => {
        this.#waiting.delete(n)
        reject(new NotSeenError(`${n} was not seen within ${ms} ms`))
      }, ms)
      this.#waiting.set(n, () => {
        clearTimeout(patience)
        resolve()
      })
    })
  }

  /** Whether `n` has come to be. */
  isSeen(n: number): boolean {
    return this.#seen.has(n)
  }

  /** Whether `n` was acknowledged. */
  isAcknowledged(n: number): boolean {
    return this.#acknowledged.has(n)
  }

  /** How many different ones have come to be. */
  get seen(): number {
    return this.#seen.size
  }

  /** Acknowledged and not come to be, each with the moment in which it was asked for. */
  missing(): readonly (readonly [n: number, asked: number])[] {
    return [...this.#acknowledged].filter(([n]) => !this.#seen.has(n))
  }

  /** How often something came to be once more. */
  doubled(): number {
    return [...this.#seen.values()].reduce((sum, times) => sum + times - 1, 0)
  }

  /** Came to be, though the caller was told that it surely was not done. */
  ghosts(): number {
    return [...this.#refused].filter((n) => this.#seen.has(n)).length
  }
}
