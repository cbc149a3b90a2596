// Counts that wait in memory to be written.

/** A key and what is to be added to it. */
export type Count = readonly [key: string, amount: number]

/** One sum per key, and at most so many keys: what cannot be written for an hour must not fill the memory. */
export class Pending {
  readonly #sums = new Map<string, number>()
  readonly #maxKeys: number

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  /** Keys that wait. */
  get size(): number {
    return this.#sums.size
  }

  /** Whether it was added: not for a new key when there is no room, nor where the sum would not be exact. */
  add(key: string, amount: number): boolean {
    const waiting = this.#sums.get(key)
    if (waiting === undefined && this.#sums.size >= this.#maxKeys) return false
    const sum = (waiting ?? 0) + amount
    if (!Number.isSafeInteger(sum)) return false
    this.#sums.set(key, sum)
    return true
  }

  /** Takes out the keys that have waited longest. */
  take(most: number): Count[] {
    const taken: Count[] = []
    for (const count of this.#sums) {
      if (taken.length === most) break
      taken.push(count)
    }
    for (const [key] of taken) this.#sums.delete(key)
    return taken
  }
}
