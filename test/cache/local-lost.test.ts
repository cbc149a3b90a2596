// The tracking connection is lost, or the network swallows everything: memory is emptied, nothing stale is served.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { fastifyAhCache } from 'fastify-ah-cache'
import { redisRegistryOf } from 'fastify-ah-kit/redis'
import { atEnd, type RedisServer, startProxy, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { Redis } from 'ioredis'
import { ask, untilTracking, warm } from './local-reads.ts'
import { openApp, openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const local = { max: 100 }

const stored = (value: unknown) => JSON.stringify({ value, createdAt: 1 })
const write = (value: unknown) => client.set('actionhero:cache:k', stored(value))

/** A cache whose requests go straight to Redis, and whose tracking connections go through a proxy. */
async function behindProxy(server: RedisServer, scope: TestScope) {
  const proxy = await startProxy({ target: server }, scope)
  const straight = new Redis({ host: server.host, port: server.port })
  atEnd(scope, () => straight.disconnect())
  straight.on('error', () => undefined)
  await until(() => straight.status === 'ready')
  // Connections beside a client that was handed in are made by its options.
  straight.options.port = proxy.port
  const app = fastify()
  atEnd(scope, () => app.close())
  await app.register(fastifyAhCache, { redis: straight, local })
  await app.ready()
  await untilTracking(app.cache)
  return { cache: app.cache, proxy }
}

test('[20] the tracking connection is killed: memory is empty at once, and used again when all is proven anew', async (t) => {
  const cache = await openCache({ redis: redis.url, local }, t)
  for (let round = 0; round < 10; round += 1) {
    await write(round)
    await warm(cache, 'k')
    // Killed first: nobody is told of the change.
    const [, , killed] = (await client
      .multi()
      .call('client', 'KILL', 'TYPE', 'pubsub')
      .set('actionhero:cache:k', stored(`${round} new`))
      .call('client', 'KILL', 'TYPE', 'pubsub')
      .exec())!
    assert.equal(killed?.[1], 0)
    await until(() => cache.local!.entries === 0, { what: 'memory is empty', everyMs: 0 })
    assert.equal(await cache.get('k'), `${round} new`)
    await untilTracking(cache)
    assert.equal(await warm(cache, 'k'), `${round} new`)
  }
})

test('[20] all connections are cut: nothing old is served, then or later', async (t) => {
  const proxy = await startProxy({ target: redis }, t)
  const cache = await openCache({ redis: proxy.url, local }, t)
  await write('old')
  await warm(cache, 'k')
  proxy.refuse()
  proxy.cut()
  await write('new')
  await until(() => cache.local!.entries === 0, { everyMs: 0 })
  const reading = cache.get('k')
  await proxy.accept()
  assert.equal(await reading, 'new')
  assert.equal(await warm(cache, 'k'), 'new')
})

test('[20] the connection of requests alone is made anew: memory is empty until both are proven to be one Redis', async (t) => {
  const cache = await openCache({ redis: redis.url, local }, t)
  await write('old')
  await warm(cache, 'k')
  await redis.command('CLIENT', 'KILL', 'TYPE', 'normal')
  await until(() => cache.local!.entries === 0)
  await untilTracking(cache)
  assert.equal(await warm(cache, 'k'), 'old')
  await write('new')
  await until(async () => (await cache.get('k')) === 'new')
})

test('[20] a black hole around all connections: after a second memory answers nothing', async (t) => {
  const proxy = await startProxy({ target: redis }, t)
  const cache = await openCache({ redis: proxy.url, local }, t)
  await write('old')
  await warm(cache, 'k')
  proxy.swallow()
  await write('new')
  const changedAt = performance.now()
  let lastOldAt = 0
  await until(
    async () => {
      const before = cache.local!.hits
      const reading = cache.get('k')
      if (cache.local!.hits === before) {
        // It went to Redis, from where nothing comes.
        reading.catch(() => undefined)
        return true
      }
      assert.equal(await reading, 'old')
      lastOldAt = performance.now()
      return false
    },
    { everyMs: 5, what: 'memory is not asked any more' },
  )
  // 1 s by the tier's own clock; the rest is for this process to look.
  assert.ok(lastOldAt - changedAt < 1_100, `old for ${Math.round(lastOldAt - changedAt)} ms`)
  proxy.pass()
  await until(async () => (await cache.get('k')) === 'new')
  assert.equal(await warm(cache, 'k'), 'new')
})

test('[20] a tracking connection that is connected and deaf is found, replaced, and meanwhile not trusted', async (t) => {
  const { cache, proxy } = await behindProxy(redis, t)
  await write('old')
  await warm(cache, 'k')
  proxy.swallow()
  const accepted = proxy.accepted
  await write('new')
  const changedAt = performance.now()
  await until(async () => (await cache.get('k')) === 'new', { everyMs: 5 })
  assert.ok(performance.now() - changedAt < 1_100)
  await until(() => proxy.accepted > accepted, { what: 'a new connection is tried' })
  assert.equal(cache.local!.isTracking, false)
  for (let round = 0; round < 20; round += 1) {
    await write(round)
    assert.deepEqual(await ask(cache, 'k'), { value: round, from: 'Redis' })
  }
  proxy.pass()
  await untilTracking(cache)
  assert.equal(await warm(cache, 'k'), 19)
})

test('[20] a tracking connection that ended on another Redis is never trusted', async (t) => {
  const other = await startRedis({}, t)
  const warnings: string[] = []
  const straight = redis.client()
  await until(() => straight.status === 'ready')
  straight.options.port = other.port
  const app = fastify({ logger: { level: 'warn', stream: { write: (line: string) => warnings.push(line) } } })
  atEnd(t, () => app.close())
  await app.register(fastifyAhCache, { redis: straight, local })
  await app.ready()
  await until(() => warnings.some((line) => line.includes('the local tier of the cache is off')))
  await write('old')
  assert.equal(await app.cache.get('k'), 'old')
  await write('new')
  assert.deepEqual(await ask(app.cache, 'k'), { value: 'new', from: 'Redis' })
  assert.deepEqual([app.cache.local!.isTracking, app.cache.local!.hits], [false, 0])
  assert.equal(warnings.filter((line) => line.includes('the local tier of the cache is off')).length, 1)
})

test('[20] [1] neither listeners nor connections grow over many losses; all end with the app', async (t) => {
  const app = await openApp({ redis: redis.url, local }, t)
  const [used] = redisRegistryOf(app).connections
  const { client: requests, dedicatedConnections } = used!.connection
  const listeners = () => {
    const [dedicated] = dedicatedConnections
    return [requests, dedicated!.client].map((each) =>
      each.eventNames().map((name) => [name, each.listenerCount(name as 'error')]),
    )
  }
  await untilTracking(app.cache)
  const before = listeners()
  for (let round = 0; round < 20; round += 1) {
    await redis.command('CLIENT', 'KILL', 'TYPE', round % 2 === 0 ? 'pubsub' : 'normal')
    await until(() => !app.cache.local!.isTracking, { everyMs: 0 })
    await untilTracking(app.cache)
  }
  assert.deepEqual(listeners(), before)
  assert.equal(dedicatedConnections.size, 1)
  await app.close()
  assert.equal(dedicatedConnections.size, 0)
})
