// The calls of a connection that have no answer yet: their order, their deadlines, their common end.

/** A call that has no answer yet. */
export interface OpenCall {
  /** Set by {@link OpenCalls} alone. */
  place: number
  /** Set by {@link OpenCalls} alone: ascends with the order of the calls. */
  number: number
  /** On the monotonic clock. */
  readonly expiresAt: number
  /** The client is ready, or will never be. */
  resume(): void
  /** Its time is over. */
  expire(): void
  /** No answer can come any more. */
  end(): void
}

// Deadlines are seconds; one timer that looks at all calls costs a fraction of a timer each.
const sweepMs = 50

/**
 * A list in no order, from which a call is taken by its place: under load thousands come and go in a second, and in a
 * Set those that are gone long outlive the garbage collector's first look (it took ten times as long as all else here).
 */
export class OpenCalls {
  readonly #calls: OpenCall[] = []
  #count = 0
  #timer: NodeJS.Timeout | undefined

  get size(): number {
    return this.#calls.length
  }

  add(call: OpenCall): void {
    this.#count += 1
    call.number = this.#count
    call.place = this.#calls.length
    this.#calls.push(call)
    this.#timer ??= setTimeout(this.#sweep, sweepMs)
  }

  remove(call: OpenCall): void {
    const last = this.#calls.pop()
    if (last === undefined || last === call) return
    this.#calls[call.place] = last
    last.place = call.place
  }

  /** Lets those that wait go on, in the order of the calls. */
  resume(): void {
    for (const call of this.#inOrder()) call.resume()
  }

  /** Ends them all. */
  end(): void {
    for (const call of this.#inOrder()) call.end()
  }

  readonly #sweep = (): void => {
    // Those whose time is over before the next look: a deadline is kept, not just missed by little.
    const soon = performance.now() + sweepMs
    for (const call of [...this.#calls]) {
      if (call.expiresAt <= soon) call.expire()
    }
    this.#timer = this.#calls.length === 0 ? undefined : setTimeout(this.#sweep, sweepMs)
  }

  #inOrder(): OpenCall[] {
    return [...this.#calls].sort((a, b) => a.number - b.number)
  }
}
