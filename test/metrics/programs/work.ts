// A process that works jobs and publishes what came of them; its spans go to its parent.
import * as api from '@opentelemetry/api'
import fastify from 'fastify'
import fastifyAhMetrics, { requestId } from 'fastify-ah-metrics'
import { traceFastifyAh } from 'fastify-ah-metrics/opentelemetry'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhTasks from 'fastify-ah-tasks'
import { openTracing } from '../open-tracing.ts'

const [, , redis = ''] = process.argv
openTracing((span) => process.send?.({ span }))
traceFastifyAh(api)

const app = fastify({
  logger: { level: 'info', stream: { write: (text) => process.send?.({ line: JSON.parse(text) }) } },
})
await app.register(fastifyAhMetrics, { requestIds: true })
await app.register(fastifyAhPubsub, { redis })
await app.register(fastifyAhTasks, { redis, maxTaskProcessors: 1, scheduler: false })
app.tasks.define({
  name: 'welcome',
  run: async (inputs: { to: string; fails?: boolean }, { log }) => {
    log.info('welcomed')
    // Behind a wait, as a real job.
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (inputs.fails === true) throw new TypeError('nobody there')
    await app.pubsub.publish('/welcomed', { to: inputs.to, reqId: requestId() ?? null })
  },
})
app.pubsub.handle('who', async () => ({ pid: process.pid, reqId: requestId() ?? null }))
await app.ready()
process.send?.({ ready: true })
process.once('disconnect', () => void app.close())
