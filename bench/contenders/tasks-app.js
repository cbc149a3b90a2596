// A job that runs for ever in the first process that has it, and tells Redis who runs it: what is killed when it is
// measured how soon a job is back. An app for the manager, and a program by itself.
import { pathToFileURL } from 'node:url'
import Fastify from 'fastify'
import fastifyAhTasks from 'fastify-ah-tasks'
import { Redis } from 'ioredis'

export const options = { logger: false }

export default async function killed(app) {
  const redis = new Redis(process.env.BENCH_REDIS)
  app.addHook('onClose', async () => redis.disconnect())
  await app.register(fastifyAhTasks, { redis: process.env.BENCH_REDIS, maxTaskProcessors: 1 })
  app.tasks.define({
    name: 'job',
    run: async (_, { recovered }) => {
      await redis.set(recovered ? 'bench:again' : 'bench:first', process.pid)
      if (!recovered) await new Promise(() => undefined)
    },
  })
  app.get('/', async () => 'here')
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const app = Fastify()
  await app.register(killed)
  await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
}
