// Contender: app.tasks as a user has it.
import Fastify from 'fastify'
import fastifyAhTasks from 'fastify-ah-tasks'
import { contendTasks, inputs } from './tasks-drive.js'

await contendTasks(async (redis) => {
  const app = Fastify()
  await app.register(fastifyAhTasks, { redis, scheduler: false, maxTaskProcessors: 0 })
  app.tasks.define({ name: 'job', run: () => undefined })
  await app.ready()
  return {
    add: () => app.tasks.enqueue('job', inputs),
    addBulk: (count) => app.tasks.enqueueMany(Array.from({ length: count }, () => ({ name: 'job', inputs }))),
    work: (concurrency, onJob) => work(redis, concurrency, onJob),
    fill,
    close: () => app.close(),
  }
})

async function work(redis, concurrency, onJob) {
  const size = { minTaskProcessors: concurrency, maxTaskProcessors: concurrency }
  const app = Fastify()
  await app.register(fastifyAhTasks, { redis, scheduler: false, ...size })
  app.tasks.define({ name: 'job', run: onJob })
  await app.ready()
  return () => app.close()
}

/** So many waiting jobs. */
async function fill(redis, waiting) {
  const payload = JSON.stringify({ class: 'job', queue: 'default', args: [inputs] })
  await redis.sadd('resque:queues', 'default')
  for (let missing = waiting - (await redis.llen('resque:queue:default')); missing > 0; missing -= 5_000) {
    await redis.rpush('resque:queue:default', ...new Array(Math.min(missing, 5_000)).fill(payload))
  }
}
