// A process that works numbered jobs, some of which fail, are tried again or take a while, until it is killed.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify from 'fastify'
import { fastifyAhTasks } from 'fastify-ah-tasks'

const [url = ''] = process.argv.slice(2)
const app = fastify()
await app.register(fastifyAhTasks, {
  redis: url,
  scheduler: true,
  minTaskProcessors: 8,
  maxTaskProcessors: 8,
  leaseMs: 400,
  pollMs: 100,
  graceMs: 200,
})
app.tasks.define({ name: 'plain', run: () => undefined })
app.tasks.define({ name: 'slow', run: () => sleep(15) })
app.tasks.define({ name: 'fails', run: () => Promise.reject(new Error('no')) })
app.tasks.define({
  name: 'again',
  retry: { attempts: 2, backoffMs: 5 },
  run: (_: unknown, { attempt }) => {
    if (attempt < 2) throw new Error('once more')
  },
})
app.tasks.define({ name: 'limited', concurrency: { max: 2 }, run: () => sleep(2) })
await app.ready()
process.send?.('ready')
