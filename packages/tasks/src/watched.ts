// Owns what jobs carry for those who watch them: the trace context, and for some jobs the time from which they wait.
import type { Carrier } from 'fastify-ah-kit'

// Queues of which it is known when a job last carried its time.
const mostQueues = 1_000

/** Which jobs carry the time from which they wait: one a queue and period, and all that carry anything else. */
export class WaitSamples {
  #everyMs = 0
  readonly #lastAt = new Map<string, number>()

  /** From now on at least one job a queue and `ms`; 0: none. */
  take(ms: number): void {
    this.#everyMs = ms
    this.#lastAt.clear()
  }

  /** Whether any job carries its time. */
  get isOn(): boolean {
    return this.#everyMs > 0
  }

  /** Whether it is the turn of a job for this queue. */
  isDue(queue: string): boolean {
    if (!this.isOn) return false
    const now = performance.now()
    const last = this.#lastAt.get(queue)
    if (last !== undefined && now - last < this.#everyMs) return false
    if (this.#lastAt.size >= mostQueues) this.#lastAt.clear()
    this.#lastAt.set(queue, now)
    return true
  }
}

/** What an enqueue is watched with. */
export interface Watched {
  /** What subscribers of the tracing channel have put there. */
  readonly carrier: Carrier | undefined
  readonly samples: WaitSamples
}
