// Owns what one connection should hold and what its socket does hold: the difference is what is left to do.

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Two sets and one truth: `wanted` is what the app has asked for, `held` is what Redis has confirmed on the socket of now.
 * A name in which they differ is dirty until both say the same; only then those that wait for it go on.
 */
export class HeldNames {
  readonly #wanted = new Set<string>()
  readonly #held = new Set<string>()
  readonly #dirty = new Set<string>()
  /** Sent, and not answered: what they are is decided by the answer. */
  readonly #inFlight = new Set<string>()
  /** Redis said no: they are asked for again with the next probe, since rights come back. */
  readonly #refused = new Set<string>()
  readonly #waiting = new Map<string, Waiter[]>()
  /** Held by a socket that is gone: what was published since was missed. */
  readonly #missed = new Set<string>()

  get wanted(): ReadonlySet<string> {
    return this.#wanted
  }

  get heldCount(): number {
    return this.#held.size
  }

  get hasRefused(): boolean {
    return this.#refused.size > 0
  }

  /** Whether nothing is left to do just now. */
  get isSettled(): boolean {
    return this.#dirty.size === 0 && this.#inFlight.size === 0
  }

  /** Resolves once it is held. */
  want(name: string): Promise<void> {
    this.#wanted.add(name)
    this.#refused.delete(name)
    return this.#wait(name)
  }

  /** Resolves once it is not held. */
  unwant(name: string): Promise<void> {
    this.#wanted.delete(name)
    this.#missed.delete(name)
    this.#refused.delete(name)
    return this.#wait(name)
  }

  /** The next names to subscribe to or to leave, at most so many; they are not dirty any more. */
  take(most: number): { readonly add: string[]; readonly drop: string[] } {
    const add: string[] = []
    const drop: string[] = []
    for (const name of this.#dirty) {
      if (add.length + drop.length >= most) break
      this.#dirty.delete(name)
      this.#inFlight.add(name)
      if (this.#wanted.has(name)) add.push(name)
      else drop.push(name)
    }
    return { add, drop }
  }

  /** Redis has confirmed these. */
  confirm({ add, drop }: { readonly add: readonly string[]; readonly drop: readonly string[] }): void {
    for (const name of add) this.#held.add(name)
    for (const name of drop) this.#held.delete(name)
    this.putBack([...add, ...drop])
  }

  /** These are answered for, however; without {@link confirm} they are what they were. */
  putBack(names: readonly string[]): void {
    for (const name of names) {
      this.#inFlight.delete(name)
      this.#compare(name)
    }
  }

  /** Redis will not have this one; who waits for it hears why. It stays wanted until it is not wanted any more. */
  refuse(name: string, error: Error): void {
    this.#inFlight.delete(name)
    this.#refused.add(name)
    for (const { reject } of this.#waitersOf(name)) reject(error)
  }

  /** What was refused is to be asked for again. */
  retryRefused(): void {
    const refused = [...this.#refused]
    this.#refused.clear()
    for (const name of refused) this.#compare(name)
  }

  /** The socket is gone, or nobody knows what it holds. */
  lose(): void {
    for (const name of this.#held) if (this.#wanted.has(name)) this.#missed.add(name)
    this.#held.clear()
    this.#refused.clear()
    for (const name of [...this.#dirty, ...this.#waiting.keys(), ...this.#wanted]) this.#compare(name)
  }

  /** What was missed and is held again; from now on it counts as told. */
  takeMissed(): string[] {
    const missed = [...this.#missed].filter((name) => this.#held.has(name))
    for (const name of missed) this.#missed.delete(name)
    return missed
  }

  /** Ends everything that waits. */
  close(error: Error): void {
    for (const name of [...this.#waiting.keys()]) for (const { reject } of this.#waitersOf(name)) reject(error)
  }

  #wait(name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiting.get(name)
      if (waiters === undefined) this.#waiting.set(name, [{ resolve, reject }])
      else waiters.push({ resolve, reject })
      this.#compare(name)
    })
  }

  #compare(name: string): void {
    if (this.#inFlight.has(name) || this.#refused.has(name)) return
    if (this.#wanted.has(name) !== this.#held.has(name)) {
      this.#dirty.add(name)
      return
    }
    this.#dirty.delete(name)
    for (const { resolve } of this.#waitersOf(name)) resolve()
  }

  #waitersOf(name: string): Waiter[] {
    const waiters = this.#waiting.get(name) ?? []
    this.#waiting.delete(name)
    return waiters
  }
}
