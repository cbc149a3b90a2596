// The workers that there should be: fills seats, brings successors, kills those that hang, and winds them all up.
import { toError } from 'fastify-ah-kit'
import { balanceOf } from './balance.ts'
import { Crew, type Workplace } from './crew.ts'
import { crowding, roleOf, specOf } from './manager-setup.ts'
import type { Reload } from './reload.ts'
import type { Seat } from './seats.ts'
import { settleReload } from './settle-reload.ts'
import { SILENT_MS } from './supervision.ts'
import type { ReloadProgress, WorkerStatus } from './types.ts'
import { WorkerHandle } from './worker-handle.ts'
import { WorkerReports } from './worker-reports.ts'

/** Driven by the manager's loop; all that it is asked for is done in the next round. */
export class Workforce {
  readonly #place: Workplace
  readonly #crew: Crew
  readonly #reports: WorkerReports
  #isRestarting = false
  #isBalanced = false
  #isFlapping = false

  constructor(place: Workplace) {
    this.#place = place
    this.#crew = new Crew(place.setup)
    this.#reports = new WorkerReports(place, this.#crew)
  }

  /** How many processes there are. */
  get size(): number {
    return this.#crew.roster.all.length
  }

  /** How many had to be killed at the end of their drain. */
  get killed(): number {
    return this.#crew.killed
  }

  /** Why the first release was given up before it ever served; undefined while it was not. */
  get failure(): Error | undefined {
    return this.#crew.releases.failure
  }

  /** The release that serves. */
  get generation(): number {
    return this.#crew.releases.current.number
  }

  /** How far the reload is that runs. */
  get reloading(): ReloadProgress | undefined {
    return this.#crew.releases.reload?.progress
  }

  /** Whether workers die faster than they should be replaced. */
  get isFlapping(): boolean {
    return this.#isFlapping
  }

  /** How many workers are wanted. */
  get wanted(): number {
    return this.#crew.seats.size
  }

  /** The first worker closes its listening socket, or none is left that has one. */
  get isGrowingDeaf(): boolean {
    const listening = this.#crew.roster.all.filter(({ isListening }) => isListening)
    return listening.length === 0 || listening.some(({ isDeaf }) => isDeaf)
  }

  /** The roles there are, in the operator's order. */
  get roles(): readonly (string | undefined)[] {
    return this.#crew.seats.roles
  }

  status(): readonly WorkerStatus[] {
    return this.#crew.roster.status()
  }

  /** How many workers of the role are wanted. */
  count(role: string | undefined): number {
    return this.#crew.seats.count(role)
  }

  /** Answers how many there will be. */
  scale(role: string | undefined, count: number): number {
    const before = this.wanted
    this.#crew.seats.resize(role, count)
    const { setup } = this.#place
    if (this.wanted > before) setup.journal.crowded(crowding(setup, this.wanted))
    return this.count(role)
  }

  /** Begins a rolling reload, or queues one behind the one that runs. */
  reload(): Reload {
    return this.#crew.releases.request()
  }

  /** All drain at once, and fresh ones take the seats as they become free. */
  restart(): void {
    const cancelled = this.#crew.releases.restart()
    if (cancelled !== undefined) {
      this.#place.setup.journal.reloadCancelled(cancelled.generation.number)
      this.#place.metering?.reloaded('cancelled')
    }
    this.#isRestarting = true
  }

  /** One round; answers how long until the next is due, if nothing happens before. */
  act(now: number): number {
    this.#dismiss()
    settleReload(this.#crew, this.#place)
    this.#noteFlapping(now)
    const waits = [this.#fill(now), this.#renew(now), this.#supervise(now), this.#spread(now)]
    this.#noteBalance()
    return Math.min(...waits)
  }

  /** Kills those whose time is over; answers how long until the next one's is. */
  killOverdue(now: number): number {
    const { all } = this.#crew.roster
    for (const worker of all) if (worker.killIfOverdue(now)) this.#place.setup.journal.workerOverdue(worker)
    return Math.min(...all.map((worker) => worker.dueInMs(now)), Number.POSITIVE_INFINITY)
  }

  /** Ends them all: by a drain, or now. Nobody is replaced from here on. */
  windUp(isForced: boolean): void {
    this.#crew.isWindingUp = true
    this.#crew.releases.cancel('the cluster stops')
    for (const worker of this.#crew.roster.all) {
      if (isForced) worker.kill()
      else worker.stop()
    }
  }

  /** Those whose seat is gone drain, and in a restart all that were there before it. */
  #dismiss(): void {
    const { roster, releases, seats } = this.#crew
    for (const worker of roster.all) {
      const isOutdated = this.#isRestarting && worker.generation < releases.current.number
      if (isOutdated || !seats.has(worker.id)) worker.stop()
    }
    this.#isRestarting = false
  }

  /** Puts a worker on each free seat that may have one now; answers how long until the next may. */
  #fill(now: number): number {
    const { roster, seats, policy } = this.#crew
    const free = roster.free(seats.all)
    if (free.length === 0) return Number.POSITIVE_INFINITY
    const wait = policy.waitMs(now)
    if (wait > 0) return wait
    for (const seat of this.#startable(free)) this.#fork(seat, now, (worker) => roster.seat(worker))
    return policy.waitMs(now) || Number.POSITIVE_INFINITY
  }

  /** A release or role that never served, or one whose workers die at boot, is tried with one worker: one error, not N. */
  #startable(free: readonly Seat[]): readonly Seat[] {
    const { roster, releases, policy } = this.#crew
    const { newest } = releases
    if (policy.isCautious || !newest.isProven) return roster.starting > 0 ? [] : free.slice(0, 1)
    const role = (seat: Seat) => roleOf(this.#place.setup, seat)
    const tried = new Set(roster.seated.filter(({ state }) => state === 'starting').map((worker) => worker.role))
    return free.filter((seat) => {
      if (newest.hasProven(role(seat))) return true
      const isTried = tried.has(role(seat))
      tried.add(role(seat))
      return !isTried
    })
  }

  /** With all seats serving, brings a successor for one worker that is behind or too large. */
  #renew(now: number): number {
    const { roster, releases, seats, policy, supervision } = this.#crew
    if (roster.rising.length > 0 || !roster.isServing(seats.all)) return Number.POSITIVE_INFINITY
    const present = roster.seated.filter(({ id, state }) => state === 'started' && seats.has(id))
    const tooLarge = present.find((worker) => supervision.isTooLarge(worker))
    const target = releases.reload?.generation.number ?? 0
    const due = present.find(({ generation }) => generation < target) ?? tooLarge
    if (due === undefined) return Number.POSITIVE_INFINITY
    const wait = policy.waitMs(now)
    if (wait > 0) return wait
    if (due === tooLarge) this.#place.setup.journal.workerTooLarge(due)
    const seat = seats.all.find(({ id }) => id === due.id)!
    this.#fork(seat, now, (worker) => roster.raise(worker))
    return policy.waitMs(now) || Number.POSITIVE_INFINITY
  }

  #supervise(now: number): number {
    const { supervision, roster } = this.#crew
    for (const worker of supervision.hung(roster.all, now)) {
      this.#place.setup.journal.workerHung(worker)
      worker.kill('hung')
    }
    return supervision.periodMs
  }

  /** Has those with too many connections leave new ones to the others, as long as these can take them. */
  #spread(now: number): number {
    const { roster, supervision } = this.#crew
    const listening = roster.all.filter((worker) => worker.isListening && worker.state === 'started')
    const { ceiling, reopen } = balanceOf(listening, (worker) => supervision.isSilent(worker, now))
    const { listener } = this.#place
    for (const worker of listening) worker.limit(ceiling)
    if (listener?.handle !== undefined) for (const worker of reopen) worker.reopen(listener.handle)
    if (!listening.some(({ isShut }) => isShut)) return Number.POSITIVE_INFINITY
    for (const worker of listening) if (!worker.isShut) supervision.ask(worker, now)
    return SILENT_MS
  }

  #noteBalance(): void {
    const { roster, seats } = this.#crew
    const isComplete = roster.isComplete(seats.all)
    const { setup, listener } = this.#place
    if (isComplete && !this.#isBalanced) setup.journal.equilibrium(listener?.address, seats.size)
    this.#isBalanced = isComplete
  }

  #noteFlapping(now: number): void {
    const isFlapping = this.#crew.policy.isFlapping(now)
    if (isFlapping !== this.#isFlapping) this.#place.setup.journal.flapping(isFlapping)
    this.#isFlapping = isFlapping
  }

  #fork(seat: Seat, now: number, place: (worker: WorkerHandle) => void): void {
    const { setup, listener, store } = this.#place
    const { releases, deaths, policy } = this.#crew
    const { number: generation } = releases.newest
    const socket = listener?.handle && { address: listener.address, handle: listener.handle }
    try {
      const spec = specOf(setup, { seat, generation, socket, deaths: deaths.recent(now), store })
      const worker = new WorkerHandle(spec, this.#reports)
      place(worker)
      this.#place.metering?.started(worker)
      setup.pids.note(worker.title, worker.pid)
      setup.journal.workerStarts(worker)
    } catch (thrown) {
      // The app file is gone, or the system gives us no further process.
      const error = toError(thrown)
      policy.died(false, now)
      if (releases.reload !== undefined) releases.newest.giveUp(error)
      setup.journal.workerNotForked(seat.id, error)
    }
  }
}
