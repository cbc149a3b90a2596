// The facade: what an app sees of its cluster.
import type { FastifyInstance } from 'fastify'
import { foundInApp, identity } from 'fastify-ah-kit'
import { type Drain, drainOf } from './drain.ts'
import { AH_CLUSTER_NOT_RUNNING } from './errors.ts'
import type { WorkerPlace } from './primary-link.ts'
import type { ClusterStatus } from './types.ts'

/** `app.cluster`: this process's place in the cluster. Works without the manager too, as a cluster of one. */
export class Cluster {
  /** Number of this worker, from 1; a replacement takes the number of the one it replaces. Without a manager 1. */
  readonly id: number
  /** Name for people: `<title>-worker-<id>`; without a manager `ACTIONHERO_TITLE`, else `<host>-<pid>`. */
  readonly title: string
  /** `ACTIONHERO_ROLE`, if set. */
  readonly role: string | undefined
  /** The release that this worker runs, counted from 1 since the manager was started. */
  readonly generation: number
  /** Whether a manager looks after this process. */
  readonly isWorker: boolean
  readonly #place: WorkerPlace | undefined
  readonly #drain: Drain

  constructor(app: FastifyInstance) {
    const { title, role } = identity()
    this.#place = foundInApp<WorkerPlace>(app, 'worker')
    this.#drain = drainOf(app)
    this.isWorker = this.#place !== undefined
    this.id = this.#place?.orders.id ?? 1
    this.generation = this.#place?.orders.generation ?? 1
    this.title = title
    this.role = role
  }

  /**
   * Ends this app in order: no new connections, answers in hand are finished, drain parts run, then `app.close()`.
   * Under the manager the process ends too and is replaced. A bare `app.close()` would destroy idle connections
   * together with the requests that are on their way on them.
   */
  close(): Promise<void> {
    return this.#drain.run()
  }

  /**
   * Begins a rolling reload of the whole cluster, or queues one behind the one that runs. Resolves as soon as the
   * primary has accepted it, with the generation that it will be: this worker is one of those that are replaced, so
   * nothing in it can wait for the end.
   * Rejects with `AH_CLUSTER_PRIMARY_GONE` if the primary does not answer within 5 s, with `AH_CLUSTER_NOT_RUNNING`
   * without a manager.
   */
  async reload(): Promise<{ readonly generation: number }> {
    if (this.#place === undefined) throw new AH_CLUSTER_NOT_RUNNING('this process has no manager that could reload it')
    return { generation: await this.#place.link.reload() }
  }

  /**
   * The whole cluster as its primary sees it; without a manager this process alone.
   * Rejects with `AH_CLUSTER_PRIMARY_GONE` if the primary does not answer within 5 s.
   */
  async status(): Promise<ClusterStatus> {
    if (this.#place !== undefined) return this.#place.link.status()
    const uptimeMs = Math.round(process.uptime() * 1000)
    const worker = {
      id: this.id,
      role: this.role,
      pid: process.pid,
      generation: this.generation,
      uptimeMs,
      restarts: 0,
    }
    const state = this.#drain.isRunning ? 'stopping' : 'started'
    return {
      title: this.title,
      primaryPid: undefined,
      generation: this.generation,
      uptimeMs,
      address: undefined,
      wanted: 1,
      isFlapping: false,
      reload: undefined,
      workers: [{ ...worker, state, vitals: undefined }],
    }
  }
}
