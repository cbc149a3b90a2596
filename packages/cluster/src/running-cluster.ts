// A cluster in the hands of the program that started it.
import { EventEmitter } from 'node:events'
import { ClusterHandle, type ClusterSetup } from './cluster-handle.ts'
import { AH_CLUSTER_APP_FAILED, AH_CLUSTER_NOT_RUNNING, AH_CLUSTER_OPTIONS } from './errors.ts'
import type { Audience } from './journal.ts'
import type { ManagerEnd } from './manager.ts'
import { guardProgram } from './primary-guard.ts'
import type { ClusterStatus, CrashedWorker } from './types.ts'

/** What a {@link RunningCluster} emits. */
export interface ClusterEvents {
  /** Every worker serves, at first or again; how many. */
  equilibrium: [workers: number]
  /** The workers will be replaced; `equilibrium` follows. */
  reload: []
  /** A worker died by itself. */
  crash: [error: Error, worker: CrashedWorker]
  stop: []
}

/**
 * Its verbs do what the commands of the same name do. Listeners are called after the step that they hear of: what one
 * throws is an uncaught exception of this process and does not touch the cluster's own work.
 */
export class RunningCluster extends EventEmitter<ClusterEvents> {
  readonly #handle: ClusterHandle

  /** Made by `startCluster()`; `setup` gets the audience that makes the events. */
  constructor(setup: (audience: Audience) => ClusterSetup) {
    super()
    this.#handle = new ClusterHandle(
      setup({
        serves: (workers) => process.nextTick(() => this.emit('equilibrium', workers)),
        reloads: () => process.nextTick(() => this.emit('reload')),
        stops: () => process.nextTick(() => this.emit('stop')),
        died: (error, worker) => process.nextTick(() => this.emit('crash', error, worker)),
      }),
    )
  }

  /** Settles when workers, sockets, files and store are gone. Never rejects. */
  get ended(): Promise<ManagerEnd> {
    return this.#handle.ended
  }

  /** Resolves when every worker serves. Throws what keeps them from that; nothing is left then. */
  async start(): Promise<void> {
    const unguard = guardProgram(() => this.#handle.manager.channelGarbled())
    void this.ended.then(unguard)
    try {
      await this.#handle.start()
    } catch (error) {
      unguard()
      throw error
    }
    const serves = new Promise<undefined>((resolve) => this.once('equilibrium', () => resolve(undefined)))
    const end = await Promise.race([serves, this.ended])
    if (end !== undefined) throw end.error ?? new AH_CLUSTER_APP_FAILED('the cluster was stopped before it served')
  }

  status(): ClusterStatus {
    return this.#handle.manager.status()
  }

  /**
   * Replaces the workers one after the other; resolves when the last old one is gone. Rejects with the reason if the
   * release was given up: the old workers serve on.
   */
  async reload(): Promise<{ readonly generation: number }> {
    const { generation, error } = await this.#handle.manager.reload().ended
    if (error !== undefined) throw error
    return { generation }
  }

  /** Ends all workers by a drain at once and starts fresh ones; connections wait meanwhile. */
  restart(): void {
    this.#handle.manager.restart()
  }

  /**
   * Sets how many workers of `role` (default: the first role) there are, from 0 to 1024. Answers that number. Throws
   * `AH_CLUSTER_OPTIONS` for another one or an unknown role, `AH_CLUSTER_NOT_RUNNING` once the cluster stops.
   */
  scale(workers: number, role?: string): number {
    if (!Number.isInteger(workers) || workers < 0) {
      throw new AH_CLUSTER_OPTIONS(`scale: expected a number of workers from 0 up, got ${workers}`)
    }
    const { manager } = this.#handle
    if (role !== undefined && !manager.roles.includes(role)) {
      throw new AH_CLUSTER_OPTIONS(
        `scale: there is no role "${role}"; there are: ${manager.roles.join(', ') || 'none'}`,
      )
    }
    const settled = manager.scale({ to: workers }, role)
    if (settled === undefined) throw new AH_CLUSTER_NOT_RUNNING('the cluster stops or has stopped')
    return settled
  }

  /** Drains and stops; resolves when all is gone. A second call answers the same. */
  stop(): Promise<ManagerEnd> {
    this.#handle.manager.stop()
    return this.ended
  }

  /** Ends every worker now. */
  kill(): Promise<ManagerEnd> {
    this.#handle.manager.kill()
    return this.ended
  }
}
