// Which workers have stopped answering, and which have grown too large.
import type { WorkerHandle } from './worker-handle.ts'

/** What is too long and too much; 0 turns the check off. */
export interface SupervisionLimits {
  readonly hangMs: number
  readonly maxRssMb: number
}

// The longest step of the clock that counts, in periods: after a longer one the primary itself was stopped, or the machine slept.
const LONGEST_STEP = 2
// How often to look.
const LOOK_MS = 1_000
/** How long a worker may take to answer a ping and still be counted on, in ms. */
export const SILENT_MS = 200
// Younger workers are not replaced for their size: an app that is larger than the ceiling would boot for ever.
const GROWING_MS = 10_000

/** Driven by the manager's loop. */
export class Supervision {
  readonly #limits: SupervisionLimits
  readonly #heardAt = new WeakMap<WorkerHandle, number>()
  /** Those that owe an answer to a ping. */
  readonly #askedAt = new WeakMap<WorkerHandle, number>()
  #awakeMs = 0
  #lookedAt: number | undefined

  constructor(limits: SupervisionLimits) {
    this.#limits = limits
  }

  /** How often to look, in ms. */
  get periodMs(): number {
    const { hangMs } = this.#limits
    return hangMs === 0 ? LOOK_MS : Math.min(LOOK_MS, hangMs / 4)
  }

  /** It gave a sign of life. */
  heard(worker: WorkerHandle): void {
    this.#askedAt.delete(worker)
    this.#heardAt.set(worker, this.#awakeMs)
  }

  /** Those that have been silent for too long, in time during which the primary could have heard them. */
  hung(workers: readonly WorkerHandle[], now: number): WorkerHandle[] {
    this.#awakeMs += Math.min(LONGEST_STEP * this.periodMs, now - (this.#lookedAt ?? now))
    this.#lookedAt = now
    const { hangMs } = this.#limits
    if (hangMs === 0) return []
    const hung = workers.filter((worker) => {
      const heardAt = this.#heardAt.get(worker)
      return worker.state === 'started' && heardAt !== undefined && this.#awakeMs - heardAt > hangMs
    })
    // Once is enough: they are killed now.
    for (const worker of hung) this.#heardAt.delete(worker)
    return hung
  }

  /** Asks it for a sign of life at `now`, unless it owes one already. */
  ask(worker: WorkerHandle, now: number): void {
    if (this.#askedAt.has(worker)) return
    this.#askedAt.set(worker, now)
    worker.ping()
  }

  /** Whether it owes an answer for so long that it cannot be counted on now: it accepts no connection either. */
  isSilent(worker: WorkerHandle, now: number): boolean {
    const askedAt = this.#askedAt.get(worker)
    return askedAt !== undefined && now - askedAt >= SILENT_MS
  }

  /** Whether it is to be replaced, in order, for its size. */
  isTooLarge({ vitals, state, uptimeMs }: WorkerHandle): boolean {
    const { maxRssMb } = this.#limits
    if (maxRssMb === 0 || state !== 'started' || uptimeMs < GROWING_MS) return false
    return vitals !== undefined && vitals.rssMb > maxRssMb
  }
}
