// The Fastify plugin: measures the app and the plugins beside it, and shows the numbers or reports them to the primary.
import type { FastifyInstance } from 'fastify'
import { foundInApp, Loop, lifecycleOf, type ReportLine, toError } from 'fastify-ah-kit'
import fp from 'fastify-plugin'
import { Registry } from 'prom-client'
import { measureCaches } from './cache-metrics.ts'
import { AH_METRICS_PORT } from './errors.ts'
import { Exposition } from './exposition.ts'
import { Fitness } from './fitness.ts'
import { measureHttp } from './http-metrics.ts'
import { Instruments } from './instruments.ts'
import { type MetricsOptions, options, type ParsedMetricsOptions } from './options.ts'
import { ProcessMetrics } from './process-metrics.ts'
import { measurePubsub } from './pubsub-metrics.ts'
import { Reporter } from './reporter.ts'
import { carryRequestIds } from './request-id.ts'
import { measureRooms } from './rooms-metrics.ts'
import { TaskMetrics } from './task-metrics.ts'
import type { MeasuredCache, MeasuredPubsub, MeasuredRooms, MeasuredTasks } from './types.ts'

// Without a manager, as `app.cluster.id`.
const alone = '1'

async function plugin(app: FastifyInstance, given: MetricsOptions): Promise<void> {
  const parsed = options.parse(given)
  const { registry = new Registry(), maxLabels, requestIds } = parsed
  const instruments = new Instruments(registry)
  const line = foundInApp<ReportLine>(app, 'reports')
  const worker = line?.worker ?? alone
  const ends: (() => unknown)[] = [() => instruments.remove()]
  app.addHook('onClose', async () => {
    for (const end of ends.reverse()) await end()
  })
  const processMetrics = new ProcessMetrics(instruments, worker, maxLabels)
  ends.push(() => processMetrics.stop())
  const fitness = new Fitness(lifecycleOf(app), instruments, worker)
  measureHttp(app, instruments, parsed)
  if (requestIds) ends.push(carryRequestIds(app))
  // Only now all plugins are there; and before their own hooks, as long as this one was registered first.
  app.addHook('onReady', async () => {
    ends.push(measurePlugins(app, instruments, parsed))
    const end = await show(app, { parsed, registry, fitness, line })
    if (end !== undefined) ends.push(end)
  })
  const isManaged = foundInApp(app, 'worker') !== undefined
  const { route } = parsed
  if (route !== undefined && !isManaged) {
    app.get(route, { logLevel: 'warn' }, async (_request, reply) => {
      await fitness.look()
      return reply.type(registry.contentType).send(await registry.metrics())
    })
  }
  if (isManaged && (route !== undefined || parsed.port !== undefined)) {
    app.log.info('the metrics of one worker are not shown: --metrics-port shows those of all of them')
  }
}

/** Measures what is there; answers how to stop. */
function measurePlugins(app: FastifyInstance, instruments: Instruments, parsed: ParsedMetricsOptions): () => unknown {
  const caches = foundInApp<ReadonlyMap<string, MeasuredCache>>(app, 'cache')
  const pubsub = foundInApp<ReadonlyMap<string, MeasuredPubsub>>(app, 'pubsub')
  const rooms = foundInApp<ReadonlyMap<string, MeasuredRooms>>(app, 'rooms')
  const tasks = foundInApp<ReadonlyMap<string, MeasuredTasks>>(app, 'tasks')
  if (caches !== undefined) measureCaches(caches, instruments)
  if (pubsub !== undefined) measurePubsub(pubsub, instruments)
  if (rooms !== undefined) measureRooms(rooms, instruments)
  if (tasks === undefined) return () => undefined
  const { queueMs, waitSampleMs } = parsed
  for (const one of tasks.values()) one.sampleWaits(waitSampleMs)
  const metrics = new TaskMetrics(tasks, instruments, parsed)
  const looks = new Loop({
    name: 'metrics queues',
    step: async () => {
      await metrics.look()
      return queueMs
    },
    onError: (err, failures) => {
      app.log[failures === 1 ? 'warn' : 'debug']({ err }, 'the queues could not be measured')
    },
  })
  if (queueMs > 0) looks.start()
  return async () => {
    metrics.stop()
    await looks.stop()
  }
}

interface Showing {
  readonly parsed: ParsedMetricsOptions
  readonly registry: Registry
  readonly fitness: Fitness
  readonly line: ReportLine | undefined
}

/** Reports to the primary, or opens a port; answers how to end that, undefined if there is nothing to end. */
async function show(
  app: FastifyInstance,
  { parsed, registry, fitness, line }: Showing,
): Promise<(() => unknown) | undefined> {
  const { host, port, reportMs } = parsed
  if (line !== undefined) {
    const reporter = new Reporter({ line, registry, fitness, reportMs, log: app.log })
    reporter.start()
    return () => reporter.stop()
  }
  if (port === undefined || foundInApp(app, 'worker') !== undefined) return undefined
  try {
    const exposition = await Exposition.open({
      host,
      port,
      registry: async () => {
        await fitness.look()
        return registry
      },
      health: async () => {
        const checks = await fitness.look()
        if (checks.length === 0) return { status: 'ok', failing: [] }
        return { status: 'failing', failing: [{ worker: alone, checks }] }
      },
      onError: (err, what) => app.log.error({ err }, what),
    })
    app.log.info({ host, port: exposition.port }, `the metrics are on http://${host}:${exposition.port}/metrics`)
    return () => exposition.close()
  } catch (thrown) {
    throw new AH_METRICS_PORT(`the metrics cannot be shown on ${host}:${port}: ${toError(thrown).message}`, {
      cause: thrown,
    })
  }
}

/** The plugin; see the README for its options. */
export const fastifyAhMetrics = fp(plugin, { name: 'fastify-ah-metrics', fastify: '5.x' })
export default fastifyAhMetrics
// For require(), which then returns the plugin.
export { fastifyAhMetrics as 'module.exports' }
