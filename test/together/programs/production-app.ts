// The app of the production topology: pages, a cache, a chat, and tasks that are enqueued here and worked by the role `worker`.
import { appendFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { fastifyAhCache } from 'fastify-ah-cache'
import { fastifyAhCluster } from 'fastify-ah-cluster'
import type { RedisOption } from 'fastify-ah-kit/redis'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'
import { fastifyAhRooms } from 'fastify-ah-rooms'
import { fastifyAhTasks } from 'fastify-ah-tasks'

export default async function production(app: FastifyInstance): Promise<void> {
  const redis = JSON.parse(process.env['SOAK_REDIS'] as string) as RedisOption
  // What has run is noted outside of Redis: a failover must not be able to forget it.
  const ran = process.env['SOAK_RAN'] as string
  await app.register(fastifyAhCluster)
  await app.register(fastifyAhCache, { redis })
  await app.register(fastifyAhPubsub, { redis })
  await app.register(fastifyAhRooms, {
    redis,
    startingRooms: ['lobby'],
    origins: ['https://soak.example'],
    allowMissingOrigin: true,
    authorize: { connect: () => ({}), join: () => true },
  })
  await app.register(fastifyAhTasks, { redis, durability: { replicas: 1 } })
  app.tasks.define({ name: 'note', run: ({ n }: { n: number }) => appendFileSync(ran, `${n}\n`) })

  app.get('/', async () => ({ pid: process.pid }))
  app.get('/status', async () => app.cluster.status())
  app.get<{ Params: { key: string } }>('/cached/:key', async ({ params }) => ({
    value: await app.cache.getOrSet(params.key, { expireMs: 500 }, async () => params.key),
  }))
  app.post<{ Params: { n: string } }>('/tasks/:n', async ({ params }) =>
    app.tasks.enqueue('note', { n: Number(params.n) }),
  )
}
