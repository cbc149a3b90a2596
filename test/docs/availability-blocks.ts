// Drives what the page of high availability shows, on one server, with Sentinel and on Redis Cluster.
import assert from 'node:assert/strict'
import Fastify, { type FastifyInstance } from 'fastify'
import fastifyAhCache from 'fastify-ah-cache'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhRooms from 'fastify-ah-rooms'
import fastifyAhTasks from 'fastify-ah-tasks'
import { atEnd, startRedis, startRedisCluster, startSentinel, type TestScope } from 'fastify-ah-test-support'
import type { Driver } from './driver.ts'
import { Workplace } from './workplace.ts'

const page = 'docs/high-availability.md'

/** Registers what the block shows, with the addresses of servers that run here. */
async function appOf(
  t: TestScope,
  code: string,
  addresses: Readonly<Record<string, string>>,
): Promise<FastifyInstance> {
  const app = Fastify()
  atEnd(t, () => app.close())
  let here = code
  for (const [shown, real] of Object.entries(addresses)) {
    assert.ok(here.includes(shown), `${page} does not show ${shown}`)
    here = here.replaceAll(shown, real)
  }
  await new Workplace(t).runPart(here, { app, fastifyAhCache, fastifyAhPubsub, fastifyAhRooms, fastifyAhTasks })
  if (code.includes('fastifyAhTasks'))
    app.tasks.define({ name: 'add', run: ({ a, b }: { a: number; b: number }) => a + b })
  await app.ready()
  return app
}

async function assertCaches(app: FastifyInstance): Promise<void> {
  await app.cache.save('key', 7)
  assert.equal(await app.cache.get('key'), 7)
}

async function assertWorks(app: FastifyInstance): Promise<void> {
  const queued = await app.tasks.enqueue('add', { a: 1, b: 2 }, { track: true })
  assert.ok(queued !== false && queued.id !== undefined)
  assert.equal(await app.tasks.waitFor(queued.id), 3)
}

const address = ({ host, port }: { host: string; port: number }) => `{ host: '${host}', port: ${port} }`

export const availabilityBlocks: readonly Driver[] = [
  {
    page,
    shows: 'redis://app:secret@redis-1:6379',
    async run(t, code = '') {
      const redis = await startRedis({}, t)
      await redis.command('ACL', 'SETUSER', 'app', 'on', '>secret', 'allkeys', 'allcommands', 'allchannels')
      await assertCaches(await appOf(t, code, { 'redis-1:6379': `${redis.host}:${redis.port}` }))
    },
  },
  {
    page,
    shows: 'sentinels: [',
    async run(t, code = '') {
      const { sentinels, name } = await startSentinel({}, t)
      const real = sentinels.map((at, n) => [`{ host: 'sentinel-${n + 1}', port: 26379 }`, address(at)])
      const app = await appOf(t, code, { ...Object.fromEntries(real), "name: 'main'": `name: '${name}'` })
      await assertCaches(app)
      await assertWorks(app)
    },
  },
  {
    page,
    shows: 'cluster: [',
    async run(t, code = '') {
      const { nodes } = await startRedisCluster({}, t)
      const real = nodes.map((node, n) => [`{ host: 'redis-${n + 1}', port: 6379 }`, address(node)])
      const app = await appOf(t, code, Object.fromEntries(real))
      await assertCaches(app)
      await assertWorks(app)
      await app.rooms.add('lobby')
      assert.deepEqual(await app.rooms.list(), ['lobby'])
      const heard = new Promise(
        (resolve) => void app.pubsub.subscribe('/a', resolve).then(() => app.pubsub.publish('/a', 1)),
      )
      assert.equal(await heard, 1)
    },
  },
  {
    page,
    shows: 'redis://cache-1:6379',
    async run(t, code = '') {
      const [cache, tasks] = [await startRedis({}, t), await startRedis({}, t)]
      const app = await appOf(t, code, {
        'cache-1:6379': `${cache.host}:${cache.port}`,
        'tasks-1:6379': `${tasks.host}:${tasks.port}`,
      })
      await assertCaches(app)
      await assertWorks(app)
      const keysOf = async (redis: typeof cache) =>
        ((await redis.command('KEYS', '*')) as string[]).map((key) => key.split(':')[0])
      assert.deepEqual([...new Set(await keysOf(cache))], ['actionhero'])
      assert.deepEqual([...new Set(await keysOf(tasks))], ['resque'])
    },
  },
]
