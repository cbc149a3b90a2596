// Beats: keeps this process's lease, and learns which of its jobs were taken from it.
import { Loop } from 'fastify-ah-kit'
import { AH_TASKS_CANCELLED, AH_TASKS_LOST } from './errors.ts'
import type { Cancels } from './store/cancels.ts'
import type { Processors } from './store/processors.ts'
import type { Work } from './work.ts'

/** Whose heart beats. */
export interface HeartbeatFor {
  readonly processors: Processors
  readonly cancels: Cancels
  readonly leaseMs: number
  readonly workerName: string
  /** Those in hand, the oldest first. */
  readonly running: () => readonly Work[]
  /** Hears which claims Redis has of this process. */
  readonly onClaims: (claims: ReadonlySet<number>) => void
  readonly onError: (error: Error, failures: number) => void
}

export class Heartbeat {
  readonly #for: HeartbeatFor
  readonly #loop: Loop
  readonly #everyMs: number
  #beatenAt = Number.NEGATIVE_INFINITY

  constructor(owner: HeartbeatFor) {
    this.#for = owner
    this.#everyMs = owner.leaseMs / 3
    // A beat that failed is made up for soon: the lease goes on ending.
    const maxBackoffMs = Math.min(this.#everyMs, 1_000)
    this.#loop = new Loop({ name: 'heartbeat', step: () => this.#step(), onError: owner.onError, maxBackoffMs })
  }

  /** Whether the lease was renewed no longer ago than two beats. */
  get isFresh(): boolean {
    return performance.now() - this.#beatenAt < this.#everyMs * 2
  }

  start(): void {
    this.#loop.start()
  }

  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async #step(): Promise<number> {
    const { processors, cancels, running, onClaims } = this.#for
    const before = running()
    const ticks = before.flatMap(({ task, meta }) => (meta?.tick === undefined ? [] : [{ task, at: meta.tick }]))
    const sentAt = performance.now()
    const claims = await processors.beat(this.#working(before[0]), ticks)
    this.#beatenAt = sentAt
    for (const work of before) {
      if (!claims.has(work.claim) && !work.isSettling) work.abort(new AH_TASKS_LOST(work.task))
    }
    onClaims(claims)
    const ids = await cancels.refresh()
    if (ids.size > 0) {
      for (const work of running()) {
        if (work.meta !== undefined && ids.has(work.meta.id)) work.abort(new AH_TASKS_CANCELLED(work.task))
      }
    }
    return this.#everyMs
  }

  /** What stands under `worker:<name>`: the oldest job, if it has run for a beat. `run_at` is fresh with each. */
  #working(oldest: Work | undefined): string {
    if (oldest?.parsed === undefined || performance.now() - oldest.startedAt < this.#everyMs) return ''
    const { queue, text } = oldest.claimed
    const head = JSON.stringify({ run_at: new Date().toString(), queue, worker: this.#for.workerName })
    return `${head.slice(0, -1)},"payload":${text}}`
  }
}
