// Owns how our metrics come into a registry, and out of it again: names, and what is read when somebody looks.
import { type Aggregator, Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { AH_METRICS_TAKEN } from './errors.ts'

/** Values with their labels. */
export type Readings = Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>

/** What a metric is called. */
export interface Named {
  /** Behind `fastify_ah_`. */
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

/** Our part of a registry. */
export class Instruments {
  readonly registry: Registry
  readonly #names: string[] = []

  constructor(registry: Registry) {
    this.registry = registry
  }

  counter(named: Named): Counter<string> {
    return new Counter(this.#config(named))
  }

  gauge(named: Named & { readonly aggregator?: Aggregator }): Gauge<string> {
    return new Gauge({ ...this.#config(named), aggregator: named.aggregator ?? 'sum' })
  }

  histogram(named: Named & { readonly buckets: readonly number[] }): Histogram<string> {
    return new Histogram({ ...this.#config(named), buckets: [...named.buckets].sort((a, b) => a - b) })
  }

  /** Counts that somebody else keeps, read when they are asked for. */
  counted(named: Named, read: () => Readings): void {
    new Counter({
      ...this.#config(named),
      collect(this: Counter<string>) {
        this.reset()
        for (const [labels, value] of read()) this.inc(labels, value)
      },
    })
  }

  /** Likewise, of what goes up and down. `aggregator`: what becomes of the values of several workers; default their sum. */
  shown(named: Named & { readonly aggregator?: Aggregator }, read: () => Readings): void {
    new Gauge({
      ...this.#config(named),
      aggregator: named.aggregator ?? 'sum',
      collect(this: Gauge<string>) {
        this.reset()
        for (const [labels, value] of read()) this.set(labels, value)
      },
    })
  }

  /** Takes ours out: the registry may belong to somebody who goes on. */
  remove(): void {
    for (const name of this.#names.splice(0)) this.registry.removeSingleMetric(name)
  }

  #config({ name, help, labels = [] }: Named) {
    const full = `fastify_ah_${name}`
    if (this.registry.getSingleMetric(full) !== undefined) {
      throw new AH_METRICS_TAKEN(
        `fastify-ah-metrics: the registry has a metric "${full}" already; give each app of a process a registry of its own`,
      )
    }
    this.#names.push(full)
    return { name: full, help, labelNames: [...labels], registers: [this.registry] }
  }
}
