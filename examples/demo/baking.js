// A task with progress: a loaf that takes some seconds to bake, by whichever worker is free. Killed in the middle, it is
// baked again by the other.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import fastifyAhTasks from 'fastify-ah-tasks'
import { killOnceSaid } from './kill.js'

const steps = 20

/** `POST /loaves`, `GET /loaves/:id`, `POST /loaves/:id/kill`, for the app's own scope. */
export async function baking(app) {
  await app.register(fastifyAhTasks, { graceMs: 1_000 })
  const bake = app.tasks.define({
    name: 'bake',
    queue: 'oven',
    run: async (_, { progress, recovered, signal }) => {
      for (let step = 0; step <= steps; step += 1) {
        await progress({ percent: (step / steps) * 100, bakedBy: process.pid, recovered })
        await sleep(150, undefined, { signal })
      }
      return { bakedBy: process.pid, recovered }
    },
  })

  app.post('/loaves', async () => bake.enqueue({}, { track: true }))

  app.get('/loaves/:id', async ({ params }, reply) => {
    const loaf = await app.tasks.track(params.id)
    return loaf ?? reply.code(404).send({ message: `there is no loaf ${params.id}` })
  })

  app.post('/loaves/:id/kill', async ({ params }, reply) => {
    const loaf = await app.tasks.track(params.id)
    const { workers } = await app.cluster.status()
    const baker = workers.find(({ pid }) => pid === loaf?.progress?.bakedBy)
    if (loaf?.state !== 'running' || baker === undefined)
      return reply.code(409).send({ message: 'nobody bakes this loaf just now' })
    killOnceSaid(reply, baker.pid)
    return { killed: baker.pid }
  })
}

/** Queue → how many wait in it. */
export async function queueLengths(app) {
  const lengths = { oven: 0 }
  for (const queue of await app.tasks.queues()) lengths[queue] = await app.tasks.length(queue)
  return lengths
}
