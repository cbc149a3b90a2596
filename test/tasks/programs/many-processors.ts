// Many processors in one process, each with a job in hand that never ends: they die together.
import process from 'node:process'
import fastify from 'fastify'
import { fastifyAhTasks } from 'fastify-ah-tasks'

const [url = '', count = ''] = process.argv.slice(2)
let inHand = 0
for (let n = 0; n < Number(count); n += 1) {
  const app = fastify()
  const work = { minTaskProcessors: 1, maxTaskProcessors: 1, queues: [`held-${n}`], leaseMs: 600, pollMs: 200 }
  await app.register(fastifyAhTasks, { redis: url, ...work, scheduler: true })
  const run = (): Promise<void> => {
    inHand += 1
    if (inHand === Number(count)) process.send?.('busy')
    return new Promise(() => undefined)
  }
  // In hand with all that a job can hold: a slot, a track.
  app.tasks.define({ name: 'hold', concurrency: { max: 1, key: (inputs: number) => String(inputs) }, run })
  await app.ready()
  await app.tasks.enqueue('hold', n, { queue: `held-${n}`, id: `held ${n}`, track: true })
}
