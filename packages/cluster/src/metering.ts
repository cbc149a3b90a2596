// The numbers of all workers, shown by the primary: brings those who add them up what happens, and what is reported.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ClusterFacts, type Exporter, type ExporterModule, toError } from 'fastify-ah-kit'
import { AH_CLUSTER_METRICS } from './errors.ts'
import type { ManagerSetup } from './manager-setup.ts'
import type { ClusterStatus, WorkerState } from './types.ts'
import type { ExitReason } from './worker-events.ts'
import type { WorkerHandle } from './worker-handle.ts'

const PACKAGE = 'fastify-ah-metrics/primary'

/** Open as long as there are workers. */
export class Metering {
  readonly #setup: ManagerSetup
  readonly #status: () => ClusterStatus
  readonly #workers = new Set<WorkerHandle>()
  readonly #exits: Record<ExitReason, number> = { stopped: 0, crashed: 0, deadline: 0, 'not-ready': 0, hung: 0 }
  readonly #reloads = { done: 0, failed: 0, cancelled: 0 }
  #starts = 0
  #exporter: Exporter | undefined

  /** Listens; undefined if nobody asked for it. Throws `AH_CLUSTER_METRICS`. */
  static async open(setup: ManagerSetup, status: () => ClusterStatus): Promise<Metering | undefined> {
    const { metricsPort, metricsHost } = setup.options
    if (metricsPort === undefined) return undefined
    const metering = new Metering(setup, status)
    await metering.#open(metricsHost, metricsPort)
    return metering
  }

  private constructor(setup: ManagerSetup, status: () => ClusterStatus) {
    this.#setup = setup
    this.#status = status
  }

  /** Its process was started. */
  started(worker: WorkerHandle): void {
    this.#starts += 1
    this.#workers.add(worker)
  }

  /** It told its plugins' numbers; false if they are none. */
  reported({ bootId }: WorkerHandle, report: unknown): boolean {
    return this.#exporter?.heard(bootId, report) ?? true
  }

  /** Its process has ended: what it counted stays. */
  exited(worker: WorkerHandle, reason: ExitReason): void {
    this.#exits[reason] += 1
    this.#workers.delete(worker)
    this.#exporter?.left(worker.bootId)
  }

  /** A reload has ended. */
  reloaded(outcome: 'done' | 'failed' | 'cancelled'): void {
    this.#reloads[outcome] += 1
  }

  async close(): Promise<void> {
    await this.#exporter?.close()
  }

  async #open(host: string, port: number): Promise<void> {
    const { root, journal } = this.#setup
    const { openExporter } = await load(root)
    try {
      this.#exporter = await openExporter({
        host,
        port,
        facts: () => this.#facts(),
        ask: () => this.#ask(),
        onError: (error, what) => journal.failed(error, what),
      })
    } catch (thrown) {
      throw new AH_CLUSTER_METRICS(`the metrics cannot be shown on ${host}:${port}: ${toError(thrown).message}`, {
        cause: thrown,
      })
    }
    journal.metered(host, this.#exporter.port)
  }

  #ask(): number {
    const serving = [...this.#workers].filter(({ state }) => state === 'started')
    for (const worker of serving) worker.askReport()
    return serving.length
  }

  #facts(): ClusterFacts {
    const { wanted, generation, isFlapping, workers: all } = this.#status()
    const workers: Record<WorkerState, number> = { starting: 0, started: 0, stopping: 0, exited: 0 }
    for (const { state } of all) workers[state] += 1
    return { wanted, generation, isFlapping, workers, starts: this.#starts, exits: this.#exits, reloads: this.#reloads }
  }
}

/** The package as the app in `root` would import it, else the one beside this package. */
async function load(root: string): Promise<ExporterModule> {
  for (const from of [pathToFileURL(join(root, 'app.js')), new URL(import.meta.url)]) {
    let file: string
    try {
      file = createRequire(from).resolve(PACKAGE)
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') continue
      throw new AH_CLUSTER_METRICS(`${PACKAGE} cannot be used: ${toError(thrown).message}`, { cause: thrown })
    }
    return (await import(pathToFileURL(file).href)) as ExporterModule
  }
  throw new AH_CLUSTER_METRICS(
    `metricsPort (--metrics-port) needs the package fastify-ah-metrics in ${root}: npm install fastify-ah-metrics`,
  )
}
