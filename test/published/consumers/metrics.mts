// A consumer of fastify-ah-metrics: what its types promise, and what they refuse.
import Fastify from 'fastify'
import fastifyAhMetricsDefault, { fastifyAhMetrics, type MetricsOptions, requestId } from 'fastify-ah-metrics'
import plugin from 'fastify-ah-metrics/plugin'
import { openExporter } from 'fastify-ah-metrics/primary'

const options: MetricsOptions = { port: 9464, maxLabels: 50, buckets: [0.1, 1] }
const app = Fastify()
await app.register(fastifyAhMetricsDefault)
await app.register(fastifyAhMetrics, options)
await app.register(plugin, { route: '/metrics', requestIds: true })
// @ts-expect-error: there is no such option
await app.register(fastifyAhMetrics, { portNumber: 5 })
// @ts-expect-error: a registry is one of prom-client
await app.register(fastifyAhMetrics, { registry: {} })

const id: string | undefined = requestId()
const open: (setup: never) => Promise<{ readonly port: number }> = openExporter

export { id, open }
