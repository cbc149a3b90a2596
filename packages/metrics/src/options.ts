// The plugin's options: schema, defaults, and the type that `app.register` takes.
import { type CheckedOptions, defineOptions } from 'fastify-ah-kit'
import type { Registry } from 'prom-client'
import { AH_METRICS_OPTIONS } from './errors.ts'

/** What `app.register(fastifyAhMetrics, …)` takes; see the README's table. Durations are ms. */
export interface MetricsOptions {
  /** Where the metrics are registered, beside those of the app; default: a registry of its own. */
  readonly registry?: Registry
  /** Port of its own on which a process without a manager shows them; 0: a free one. Default: none. */
  readonly port?: number
  /** Address to bind that port to; default `127.0.0.1`. */
  readonly host?: string
  /** Path of a route of the app that shows them, in a process without a manager. Default: none. */
  readonly route?: string
  /** Upper bounds of the histograms of durations, in seconds. */
  readonly buckets?: readonly number[]
  /** Most different values of a label; further ones are `other`. Default 200. */
  readonly maxLabels?: number
  /** Pause between two reports to the primary; default 2000. */
  readonly reportMs?: number
  /** Pause between two looks at the queues of the tasks; 0: none. Default 5000. */
  readonly queueMs?: number
  /** One job a queue and so long carries the time from which it waits; 0: none. Default 1000. */
  readonly waitSampleMs?: number
  /** Jobs, messages and calls carry the id of the request in which they were made; default false. */
  readonly requestIds?: boolean
}

/** The options with their defaults. */
export interface ParsedMetricsOptions {
  readonly registry?: Registry
  readonly port?: number
  readonly host: string
  readonly route?: string
  readonly buckets: readonly number[]
  readonly maxLabels: number
  readonly reportMs: number
  readonly queueMs: number
  readonly waitSampleMs: number
  readonly requestIds: boolean
}

const longestMs = 3_600_000

/** The options' schema and check. */
export const options: CheckedOptions<ParsedMetricsOptions> = defineOptions<ParsedMetricsOptions>({
  package: 'fastify-ah-metrics',
  error: AH_METRICS_OPTIONS,
  properties: {
    registry: {
      description: 'a `Registry` of prom-client: where the metrics are registered, beside those of the app',
      check: { expected: 'a Registry of prom-client', accepts: isRegistry },
    },
    port: {
      description: 'port of its own on which a process without a manager shows them; 0: a free one',
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
    },
    host: { description: 'address to bind that port to', type: 'string', minLength: 1, default: '127.0.0.1' },
    route: {
      description: 'path of a route of the app that shows them, in a process without a manager',
      type: 'string',
      pattern: '^/',
      expected: 'a path that begins with a "/"',
    },
    buckets: {
      description: 'upper bounds of the histograms of durations, in seconds',
      type: 'array',
      items: { type: 'number', exclusiveMinimum: 0 },
      minItems: 1,
      maxItems: 50,
      uniqueItems: true,
      default: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    },
    maxLabels: {
      description: 'most different values of a label (routes, tasks, queues); further ones are `other`',
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      default: 200,
    },
    reportMs: {
      description: 'pause between two reports to the primary, in ms',
      type: 'integer',
      minimum: 100,
      maximum: 60_000,
      default: 2_000,
    },
    queueMs: {
      description: 'pause between two looks at the queues of the tasks, in ms; 0: none',
      type: 'integer',
      minimum: 0,
      maximum: longestMs,
      default: 5_000,
    },
    waitSampleMs: {
      description: 'one job a queue and so many ms carries the time from which it waits; 0: none',
      type: 'integer',
      minimum: 0,
      maximum: longestMs,
      default: 1_000,
    },
    requestIds: {
      description: 'jobs, messages and calls carry the id of the request in which they were made',
      type: 'boolean',
      default: false,
    },
  },
})

function isRegistry(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { registerMetric, getMetricsAsJSON, metrics } = value as Record<string, unknown>
  return [registerMetric, getMetricsAsJSON, metrics].every((method) => typeof method === 'function')
}
