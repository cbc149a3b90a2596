// Works the task `job`, which holds its JobLock until it is told otherwise. Argument: the URL of Redis.
import process from 'node:process'
import fastify from 'fastify'
import { fastifyAhTasks } from 'fastify-ah-tasks'

const [redis = ''] = process.argv.slice(2)
const app = fastify()
await app.register(fastifyAhTasks, { redis, maxTaskProcessors: 1, scheduler: true, leaseMs: 900, pollMs: 200 })
app.tasks.define({
  name: 'job',
  plugins: ['JobLock'],
  pluginOptions: { JobLock: { enqueueTimeout: 100 } },
  run: () => {
    process.send?.('runs')
    return new Promise((resolve) => process.once('message', resolve))
  },
})
await app.ready()
process.send?.('ready')
