// What the primary of a cluster loads: shows the metrics of all its workers on one port.
import { type ClusterFacts, type Exporter, type ExporterSetup, within } from 'fastify-ah-kit'
import { Registry } from 'prom-client'
import { Exposition, type Health } from './exposition.ts'
import { Instruments, type Readings } from './instruments.ts'
import { ProcessMetrics } from './process-metrics.ts'
import { openReport, type Report, type ReportedMetric } from './report.ts'
import { Sums } from './sums.ts'

// How long a worker may take to answer a scrape; its last report counts then.
const answerMs = 500
// The primary's own loops.
const mostLoops = 20

/** Listens, and adds up. Throws what keeps it from listening. */
export async function openExporter(setup: ExporterSetup): Promise<Exporter> {
  const primary = new Primary(setup)
  await primary.open()
  return primary
}

/** A question to all workers. */
interface Asked {
  /** Resolves when all have reported, or had the time to. */
  readonly fresh: Promise<void>
  readonly heard: (bootId: string) => void
}

class Primary implements Exporter {
  readonly #setup: ExporterSetup
  readonly #sums = new Sums()
  readonly #own = new Registry()
  readonly #process: ProcessMetrics
  /** The last report of each living process. */
  readonly #reports = new Map<string, Report>()
  #asked: Asked | undefined
  #exposition: Exposition | undefined

  constructor(setup: ExporterSetup) {
    this.#setup = setup
    const instruments = new Instruments(this.#own)
    this.#process = new ProcessMetrics(instruments, 'primary', mostLoops)
    showFacts(instruments, setup.facts)
  }

  async open(): Promise<void> {
    const { host, port, onError } = this.#setup
    try {
      this.#exposition = await Exposition.open({
        host,
        port,
        onError,
        registry: () => this.#registry(),
        health: () => this.#health(),
      })
    } catch (error) {
      this.#process.stop()
      throw error
    }
  }

  get port(): number {
    return this.#exposition?.port ?? 0
  }

  heard(bootId: string, value: unknown): boolean {
    const report = openReport(value)
    if (report === undefined) return false
    if (this.#sums.hear(bootId, report.metrics)) this.#reports.set(bootId, report)
    this.#asked?.heard(bootId)
    return true
  }

  left(bootId: string): void {
    this.#reports.delete(bootId)
    this.#sums.left(bootId)
  }

  async close(): Promise<void> {
    this.#process.stop()
    await this.#exposition?.close()
  }

  async #registry(): Promise<Registry> {
    await this.#ask()
    return this.#sums.total((await this.#own.getMetricsAsJSON()) as unknown as ReportedMetric[])
  }

  async #health(): Promise<Health> {
    await this.#ask()
    const failing = [...this.#reports.values()]
      .filter(({ failed }) => failed.length > 0)
      .map(({ worker, failed }) => ({ worker, checks: failed }))
    const { wanted, workers, isFlapping } = this.#setup.facts()
    const own = [
      ...((workers['started'] ?? 0) < wanted ? [`${workers['started'] ?? 0} of ${wanted} workers serve`] : []),
      ...(isFlapping ? ['workers die faster than they should be replaced'] : []),
    ]
    const all = own.length === 0 ? failing : [{ worker: 'primary', checks: own }, ...failing]
    return { status: all.length === 0 ? 'ok' : 'failing', failing: all }
  }

  /** Resolves when all workers have reported, or had the time to. Who comes meanwhile waits for the same answers. */
  async #ask(): Promise<void> {
    this.#asked ??= this.#begin()
    await this.#asked.fresh
  }

  #begin(): Asked {
    const answered = new Set<string>()
    let done: () => void = () => undefined
    const all = new Promise<void>((resolve) => {
      done = resolve
    })
    const wanted = this.#setup.ask()
    if (wanted === 0) done()
    const fresh = within(answerMs, all, () => undefined).finally(() => {
      this.#asked = undefined
    })
    return {
      fresh,
      heard: (bootId) => {
        answered.add(bootId)
        if (answered.size >= wanted) done()
      },
    }
  }
}

/** What the primary knows by itself. */
function showFacts(instruments: Instruments, facts: () => ClusterFacts): void {
  const each = (label: string, counts: Readonly<Record<string, number>>): Readings =>
    Object.entries(counts).map(([value, count]) => [{ [label]: value }, count] as const)
  const one = (value: number): Readings => [[{}, value]]
  instruments.shown({ name: 'cluster_workers', help: 'Workers, by their state.', labels: ['state'] }, () =>
    each('state', facts().workers),
  )
  instruments.shown({ name: 'cluster_workers_wanted', help: 'How many workers there should be.' }, () =>
    one(facts().wanted),
  )
  instruments.shown({ name: 'cluster_generation', help: 'The release that new workers run, from 1.' }, () =>
    one(facts().generation),
  )
  instruments.shown({ name: 'cluster_flapping', help: '1: workers die faster than they should be replaced.' }, () =>
    one(facts().isFlapping ? 1 : 0),
  )
  instruments.counted({ name: 'cluster_worker_starts_total', help: 'Processes of workers that were started.' }, () =>
    one(facts().starts),
  )
  instruments.counted(
    {
      name: 'cluster_worker_exits_total',
      help: 'Workers that ended, and why: stopped (drained), crashed, deadline (killed at the end of the drain), not-ready, hung.',
      labels: ['reason'],
    },
    () => each('reason', facts().exits),
  )
  instruments.counted(
    { name: 'cluster_reloads_total', help: 'Reloads: done, failed (given up), cancelled.', labels: ['outcome'] },
    () => each('outcome', facts().reloads),
  )
}
