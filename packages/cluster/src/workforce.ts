// The workers that there are and that there should be: forks into free seats, notes every end, and winds them up.
import { toError } from 'fastify-ah-kit'
import { Generation } from './generation.ts'
import type { Listener } from './listener.ts'
import { type ManagerSetup, specOf } from './manager-setup.ts'
import { PeerDeaths } from './peer-deaths.ts'
import { RestartPolicy } from './restart-policy.ts'
import { Roster } from './roster.ts'
import type { Store } from './store.ts'
import type { ClusterStatus, WorkerStatus } from './types.ts'
import type { WorkerExit, WorkerListener } from './worker-events.ts'
import { WorkerHandle } from './worker-handle.ts'

/** What the workers are given, and who is told that something happened. */
export interface Workplace {
  readonly setup: ManagerSetup
  readonly listener: Listener
  readonly store: Store | undefined
  /** Something happened: look again at what is to be done. */
  wake(): void
  /** The release serves for the first time. */
  proven(): void
  status(): ClusterStatus
}

/** Driven by the manager's loop; the events of the workers only note what happened and wake it. */
export class Workforce implements WorkerListener<WorkerHandle> {
  readonly #place: Workplace
  readonly #roster = new Roster()
  readonly #deaths = new PeerDeaths()
  readonly #policy: RestartPolicy
  readonly #generation = new Generation(1)
  #isWindingUp = false
  #killed = 0
  #isBalanced = false

  constructor(place: Workplace) {
    this.#place = place
    this.#policy = new RestartPolicy(() => place.setup.workers)
  }

  /** The release that workers are started with. */
  get generation(): number {
    return this.#generation.number
  }

  /** Why the release was given up before it ever served; undefined while it was not. */
  get failure(): Error | undefined {
    return this.#generation.failure
  }

  /** How many processes there are. */
  get size(): number {
    return this.#roster.all.length
  }

  /** How many had to be killed at the end of their drain. */
  get killed(): number {
    return this.#killed
  }

  /** The first worker closes its listening socket, or none is left that has one. */
  get isGrowingDeaf(): boolean {
    const { all } = this.#roster
    return all.length === 0 || all.some(({ isDeaf }) => isDeaf)
  }

  status(): readonly WorkerStatus[] {
    return this.#roster.status()
  }

  /** Kills those whose time is over; answers how long until the next one's is. */
  killOverdue(now: number): number {
    for (const worker of this.#roster.all) {
      if (worker.killIfOverdue(now)) this.#place.setup.journal.workerOverdue(worker)
    }
    return this.#roster.all.reduce(
      (soonest, worker) => Math.min(soonest, worker.dueInMs(now)),
      Number.POSITIVE_INFINITY,
    )
  }

  /** Puts a worker on each free seat that may have one now; answers how long until the next may. */
  fill(now: number): number {
    const { setup, listener } = this.#place
    const isComplete = this.#roster.isComplete(setup.workers)
    if (isComplete && !this.#isBalanced) setup.journal.equilibrium(listener.address, setup.workers)
    this.#isBalanced = isComplete
    const free = this.#roster.free(setup.workers)
    if (free.length === 0) return Number.POSITIVE_INFINITY
    const wait = this.#policy.waitMs(now)
    if (wait > 0) return wait
    // A release that never served, or one whose workers die at boot, is tried with one worker: one error, not N.
    const isOneAtATime = !this.#generation.isProven || this.#policy.isCautious
    if (isOneAtATime && this.#roster.starting > 0) return Number.POSITIVE_INFINITY
    for (const id of isOneAtATime ? free.slice(0, 1) : free) this.#fork(id, now)
    return this.#policy.waitMs(now) || Number.POSITIVE_INFINITY
  }

  /** Ends them all: by a drain, or now. Nobody is replaced from here on. */
  windUp(isForced: boolean): void {
    this.#isWindingUp = true
    for (const worker of this.#roster.all) {
      if (isForced) worker.kill()
      else worker.stop()
    }
  }

  started(worker: WorkerHandle): void {
    this.#policy.cameUp()
    this.#place.setup.journal.workerStarted(worker)
    if (!this.#generation.isProven) {
      this.#generation.prove()
      this.#place.proven()
    }
    this.#place.wake()
  }

  stopping(worker: WorkerHandle): void {
    this.#roster.leave(worker)
    this.#place.setup.journal.workerDrains(worker)
    this.#place.wake()
  }

  deaf(): void {
    this.#place.wake()
  }

  cutOff(): void {
    this.#place.wake()
  }

  statusAsked(worker: WorkerHandle, request: number): void {
    worker.answer({ type: 'status', request, status: this.#place.status() })
  }

  ignored(worker: WorkerHandle): void {
    this.#place.setup.journal.messageIgnored(worker)
  }

  exited(worker: WorkerHandle, exit: WorkerExit): void {
    const now = performance.now()
    this.#roster.remove(worker)
    if (exit.reason === 'deadline') this.#killed += 1
    if (exit.reason !== 'stopped' && worker.pid !== undefined) {
      // Blame is for those that died by themselves: whom we killed or sent away may have been in the middle of good work.
      const cause = exit.reason === 'crashed' && !exit.wasAsked ? 'crashed' : 'deadline'
      this.#deaths.announce({ bootId: worker.bootId, pid: worker.pid, cause }, now, this.#roster.all)
    }
    if (!this.#isWindingUp && !exit.wasAsked) {
      // Every unasked end counts, clean ones too: an app that closes itself at once must not be forked without pause.
      this.#policy.died(exit.wasReady, now)
      if (!exit.wasReady) this.#generation.bootDeath(exit)
    }
    this.#place.setup.journal.workerExited(worker, exit, this.failure !== undefined)
    this.#place.wake()
  }

  #fork(id: number, now: number): void {
    const { setup, listener, store } = this.#place
    const { handle, address } = listener
    if (handle === undefined) return
    const { number: generation } = this.#generation
    try {
      const seat = { id, generation, address, handle, deaths: this.#deaths.recent(now), store }
      const worker = new WorkerHandle(specOf(setup, seat), this)
      this.#roster.seat(worker)
      setup.journal.workerStarts(worker)
    } catch (error) {
      // The app file is gone, or the system gives us no further process.
      this.#policy.died(false, now)
      setup.journal.workerNotForked(id, toError(error))
    }
  }
}
