// Adds up what processes report, those that are gone included: a counter of the whole never goes down.
import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client'
import type { ReportedMetric } from './report.ts'

type Metrics = readonly ReportedMetric[]

// Its last words may arrive after its end is known.
const lastWordsMs = 5_000

interface Process {
  metrics: Metrics
  /** When it was said to be gone, in ms of the monotonic clock. */
  leftAt: number | undefined
}

/**
 * | a process | moves to | when |
 * |---|---|---|
 * | – | living | its first report |
 * | living | leaving | it is gone: its gauges are, its counts stay |
 * | leaving | – | 5 s later its counts are added to those of all that are gone |
 */
export class Sums {
  readonly #processes = new Map<string, Process>()
  #gone: Metrics = []

  /** What the process with this boot id has counted so far; answers whether it is living. */
  hear(bootId: string, metrics: Metrics): boolean {
    const known = this.#processes.get(bootId)
    if (known === undefined) this.#processes.set(bootId, { metrics, leftAt: undefined })
    else known.metrics = metrics
    return known?.leftAt === undefined
  }

  left(bootId: string, now: number = performance.now()): void {
    this.#fold(now)
    const { metrics } = this.#processes.get(bootId) ?? { metrics: [] }
    this.#processes.set(bootId, { metrics, leftAt: now })
  }

  /** All of it, and `own` beside it. */
  total(own: Metrics, now: number = performance.now()): Registry {
    this.#fold(now)
    const living = [...this.#processes.values()].map(({ metrics, leftAt }) =>
      leftAt === undefined ? metrics : countsOf(metrics),
    )
    return aggregate([this.#gone, ...living, own])
  }

  #fold(now: number): void {
    for (const [bootId, { metrics, leftAt }] of this.#processes) {
      if (leftAt === undefined || now - leftAt < lastWordsMs) continue
      this.#processes.delete(bootId)
      this.#gone = added([this.#gone, countsOf(metrics)])
    }
  }
}

/** What of a process outlives it. */
function countsOf(metrics: Metrics): Metrics {
  return metrics.filter(({ type }) => type !== 'gauge')
}

function aggregate(lists: readonly Metrics[]): Registry {
  return AggregatorRegistry.aggregate(
    agreeing(lists) as unknown as MetricObjectWithValues<MetricValue<string>>[],
  ) as unknown as Registry
}

/** Every list has its metrics once, so that what was added up can be added to again. */
function added(lists: readonly Metrics[]): Metrics {
  const found = new Map<string, ReportedMetric>()
  for (const metric of agreeing(lists).flat()) {
    const before = found.get(metric.name)
    found.set(metric.name, before === undefined ? metric : sumOf(before, metric))
  }
  return [...found.values()]
}

function sumOf(one: ReportedMetric, other: ReportedMetric): ReportedMetric {
  const values = new Map(one.values.map((value) => [keyOf(value), value]))
  for (const value of other.values) {
    const key = keyOf(value)
    values.set(key, { ...value, value: value.value + (values.get(key)?.value ?? 0) })
  }
  return { ...other, values: [...values.values()] }
}

function keyOf({ metricName = '', labels }: ReportedMetric['values'][number]): string {
  return JSON.stringify([metricName, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}

/**
 * A release may have changed a metric's type or buckets: sums of both would be nonsense. The last one that says something is
 * right; what others said under the name is left out.
 */
function agreeing(lists: readonly Metrics[]): readonly Metrics[] {
  const shapes = new Map<string, string>()
  for (const metric of lists.flat()) if (metric.values.length > 0) shapes.set(metric.name, shapeOf(metric))
  return lists.map((metrics) =>
    metrics.filter((metric) => metric.values.length === 0 || shapes.get(metric.name) === shapeOf(metric)),
  )
}

function shapeOf({ type, values }: ReportedMetric): string {
  if (type !== 'histogram') return type
  return `${type} ${[...new Set(values.map(({ labels }) => labels['le'] ?? ''))].join()}`
}
