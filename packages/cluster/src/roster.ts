// Who works in the cluster: one worker a seat, the successors that boot beside them, and those that drain.
import type { Seat } from './seats.ts'
import type { WorkerStatus } from './types.ts'
import type { WorkerHandle } from './worker-handle.ts'

/**
 * | place | moves to | when |
 * |---|---|---|
 * | rising | seated | it serves, or the one before it is gone |
 * | seated, rising | leaving | it drains, or a successor serves in its place |
 * | any | – | its process has ended |
 */
export class Roster {
  readonly #seated = new Map<number, WorkerHandle>()
  readonly #rising = new Map<number, WorkerHandle>()
  readonly #leaving = new Set<WorkerHandle>()
  readonly #restarts = new Map<number, number>()

  /** All whose process still runs. */
  get all(): readonly WorkerHandle[] {
    return [...this.#seated.values(), ...this.#rising.values(), ...this.#leaving]
  }

  /** Those that have a seat. */
  get seated(): readonly WorkerHandle[] {
    return [...this.#seated.values()]
  }

  /** Successors whose predecessors still serve. */
  get rising(): readonly WorkerHandle[] {
    return [...this.#rising.values()]
  }

  /** Those that boot. */
  get starting(): number {
    return [...this.#seated.values(), ...this.#rising.values()].filter(({ state }) => state === 'starting').length
  }

  /** The seats that nobody has taken. */
  free(seats: readonly Seat[]): Seat[] {
    return seats.filter(({ id }) => !this.#seated.has(id))
  }

  /** Whether each seat has a worker that serves. */
  isServing(seats: readonly Seat[]): boolean {
    return seats.every(({ id }) => this.#seated.get(id)?.state === 'started')
  }

  /** Whether each seat has a worker that serves, and nobody else is there. */
  isComplete(seats: readonly Seat[]): boolean {
    return this.isServing(seats) && this.all.length === seats.length
  }

  /** Seats a worker at its number. */
  seat(worker: WorkerHandle): void {
    this.#seated.set(worker.id, worker)
    const replaced = this.#restarts.get(worker.id)
    this.#restarts.set(worker.id, replaced === undefined ? 0 : replaced + 1)
  }

  /** Notes a successor of the worker that has the seat. */
  raise(worker: WorkerHandle): void {
    this.#rising.set(worker.id, worker)
  }

  /** It serves: takes the seat if it is a successor. Answers whose seat it was. */
  succeed(worker: WorkerHandle): WorkerHandle | undefined {
    if (this.#rising.get(worker.id) !== worker) return undefined
    const before = this.#seated.get(worker.id)
    this.#rising.delete(worker.id)
    if (before !== undefined) this.#leaving.add(before)
    this.seat(worker)
    return before
  }

  /** It drains: its seat is free for a successor, which may be there already. */
  leave(worker: WorkerHandle): void {
    const { id } = worker
    if (this.#rising.get(id) === worker) this.#rising.delete(id)
    else if (this.#seated.get(id) === worker) this.#seated.delete(id)
    else return
    this.#leaving.add(worker)
    const successor = this.#rising.get(id)
    if (successor === undefined || this.#seated.has(id)) return
    this.#rising.delete(id)
    this.seat(successor)
  }

  /** Its process has ended. */
  remove(worker: WorkerHandle): void {
    this.leave(worker)
    this.#leaving.delete(worker)
  }

  /** How often the worker at this number has been replaced. */
  restarts(id: number): number {
    return this.#restarts.get(id) ?? 0
  }

  /** All of them in the order of their numbers. */
  status(): WorkerStatus[] {
    return this.all
      .map((worker) => ({ ...worker.status(), restarts: this.restarts(worker.id) }))
      .sort((a, b) => a.id - b.id || b.uptimeMs - a.uptimeMs)
  }
}
