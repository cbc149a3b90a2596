// Who works in the cluster: a seat per wanted worker, and those that drain beside their successors.

import type { WorkerStatus } from './types.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** The workers that there are. */
export class Roster {
  readonly #seated = new Map<number, WorkerHandle>()
  readonly #leaving = new Set<WorkerHandle>()
  readonly #restarts = new Map<number, number>()

  /** All whose process still runs. */
  get all(): readonly WorkerHandle[] {
    return [...this.#seated.values(), ...this.#leaving]
  }

  /** Those that boot. */
  get starting(): number {
    return [...this.#seated.values()].filter(({ state }) => state === 'starting').length
  }

  /** The numbers from 1 to `seats` that nobody has taken. */
  free(seats: number): number[] {
    return Array.from({ length: seats }, (_, index) => index + 1).filter((id) => !this.#seated.has(id))
  }

  /** Whether each of `seats` seats has a worker that serves, and nobody else is there. */
  isComplete(seats: number): boolean {
    const seated = [...this.#seated.values()]
    return this.#leaving.size === 0 && seated.length === seats && seated.every(({ state }) => state === 'started')
  }

  /** Seats a worker at its number. */
  seat(worker: WorkerHandle): void {
    const replaced = this.#restarts.get(worker.id)
    this.#restarts.set(worker.id, replaced === undefined ? 0 : replaced + 1)
    this.#seated.set(worker.id, worker)
  }

  /** Its seat is free for a successor while it drains. */
  leave(worker: WorkerHandle): void {
    if (this.#seated.get(worker.id) !== worker) return
    this.#seated.delete(worker.id)
    this.#leaving.add(worker)
  }

  /** Its process has ended. */
  remove(worker: WorkerHandle): void {
    this.leave(worker)
    this.#leaving.delete(worker)
  }

  /** All of them in the order of their numbers. */
  status(): WorkerStatus[] {
    return this.all
      .map((worker) => ({
        id: worker.id,
        pid: worker.pid ?? 0,
        state: worker.state,
        generation: worker.generation,
        uptimeMs: Math.round(worker.uptimeMs),
        restarts: this.#restarts.get(worker.id) ?? 0,
      }))
      .sort((a, b) => a.id - b.id || a.uptimeMs - b.uptimeMs)
  }
}
