// What workers report: noted in the crew's books, written in the journal, and the manager is woken to act on it.
import type { Crew, Workplace } from './crew.ts'
import type { WorkerExit, WorkerListener } from './worker-events.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Hears every worker of a cluster. */
export class WorkerReports implements WorkerListener<WorkerHandle> {
  readonly #place: Workplace
  readonly #crew: Crew

  constructor(place: Workplace, crew: Crew) {
    this.#place = place
    this.#crew = crew
  }

  started(worker: WorkerHandle): void {
    const { policy, supervision, releases, roster } = this.#crew
    policy.cameUp()
    supervision.heard(worker)
    this.#place.setup.journal.workerStarted(worker)
    releases.served(worker.generation, worker.role)
    if (!this.#crew.hasServed) this.#place.proven()
    this.#crew.hasServed = true
    // Only now: whoever it succeeds has served until here.
    roster.succeed(worker)?.stop()
    this.#place.wake()
  }

  stopping(worker: WorkerHandle): void {
    this.#crew.roster.leave(worker)
    this.#place.setup.journal.workerDrains(worker)
    this.#place.wake()
  }

  deaf(): void {
    this.#place.wake()
  }

  cutOff(): void {
    this.#place.wake()
  }

  pulsed(worker: WorkerHandle): void {
    const { supervision } = this.#crew
    supervision.heard(worker)
    // Every word may change who is to listen.
    this.#place.wake()
  }

  reported(worker: WorkerHandle, report: unknown): void {
    const { metering } = this.#place
    if (metering?.reported(worker, report) === false) this.ignored(worker)
  }

  statusAsked(worker: WorkerHandle, request: number): void {
    worker.answer({ type: 'status', request, status: this.#place.status() })
  }

  reloadAsked(worker: WorkerHandle, request: number): void {
    const { generation } = this.#crew.releases.request()
    worker.answer({ type: 'reloading', request, generation: generation.number })
    this.#place.wake()
  }

  ignored(worker: WorkerHandle): void {
    this.#place.setup.journal.messageIgnored(worker)
  }

  exited(worker: WorkerHandle, exit: WorkerExit): void {
    const { roster, releases, policy } = this.#crew
    const now = performance.now()
    roster.remove(worker)
    this.#place.setup.pids.forget(worker.title, worker.pid)
    this.#place.metering?.exited(worker, exit.reason)
    if (exit.reason === 'deadline' && this.#crew.isWindingUp) this.#crew.killed += 1
    if (exit.reason !== 'stopped') this.#announce(worker, exit, now)
    if (!this.#crew.isWindingUp && !exit.wasAsked) {
      // Every unasked end counts, clean ones too: an app that closes itself at once must not be forked without pause.
      policy.died(exit.wasReady, now)
      if (!exit.wasReady) releases.bootDeath(worker.generation, worker.role, exit)
    }
    this.#place.setup.journal.workerExited(worker, exit, releases.failure !== undefined)
    this.#place.wake()
  }

  #announce(worker: WorkerHandle, { reason, wasAsked }: WorkerExit, now: number): void {
    const { deaths, roster } = this.#crew
    if (worker.pid === undefined) return
    // Blame is for those that died by themselves: whom we killed or sent away may have been in the middle of good work.
    const isToBlame = (reason === 'crashed' || reason === 'hung') && !wasAsked
    const cause = isToBlame ? 'crashed' : 'deadline'
    deaths.announce({ bootId: worker.bootId, pid: worker.pid, cause }, now, roster.all)
  }
}
