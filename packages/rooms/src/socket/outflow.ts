// Writes what a turn of the event loop has for each socket: one write a socket, behind all that came in that turn.

/** What has something to write. */
export interface Flushable {
  /** Never throws. */
  readonly flush: () => void
}

/** One per door. */
export class Outflow {
  #dirty: Flushable[] = []
  #isScheduled = false

  /** Once a turn for each, which it sees to itself. */
  add(line: Flushable): void {
    this.#dirty.push(line)
    if (this.#isScheduled) return
    this.#isScheduled = true
    // After what Redis and all sockets had for us in this turn.
    setImmediate(this.#flush)
  }

  readonly #flush = (): void => {
    const dirty = this.#dirty
    this.#dirty = []
    this.#isScheduled = false
    for (const line of dirty) line.flush()
  }
}
