// Owns the moments in which this process did nothing: what came for it then was not delivered.

/** Watches from now on. */
export class Stalls {
  /** From and to, in ms since 1970. */
  readonly spans: [from: number, to: number][] = []
  readonly #timer: NodeJS.Timeout
  #last = Date.now()

  constructor() {
    this.#timer = setInterval(() => {
      const now = Date.now()
      if (now - this.#last > SHORTEST_MS) this.spans.push([this.#last, now])
      this.#last = now
    }, 1)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

const SHORTEST_MS = 5

/** How many ms of the time between `from` and `to` lie in the spans; those that overlap count once. */
export function stalledMs(spans: readonly (readonly [from: number, to: number])[], from: number, to: number): number {
  let reached = from
  let sum = 0
  for (const [begun, ended] of [...spans].sort((a, b) => a[0] - b[0])) {
    const start = Math.max(begun, reached)
    const end = Math.min(ended, to)
    if (end <= start) continue
    sum += end - start
    reached = end
  }
  return sum
}
