// Where Redis does not say which keys change: the tier is off, says so once, and the cache works.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { type CacheOptions, fastifyAhCache } from 'fastify-ah-cache'
import { redisRegistryOf } from 'fastify-ah-kit/redis'
import { atEnd, startRedis, startRedisCluster, startSentinel, type TestScope, until } from 'fastify-ah-test-support'
import { ask } from './local-reads.ts'

const redis = await startRedis({}, test)

/** The app with the tier, and the texts of its warnings. */
async function open(options: CacheOptions, scope: TestScope) {
  const warnings: { msg: string; err?: { message: string } }[] = []
  const stream = { write: (line: string) => warnings.push(JSON.parse(line)) }
  const app = fastify({ logger: { level: 'warn', stream } })
  atEnd(scope, () => app.close())
  await app.register(fastifyAhCache, { local: { max: 100 }, ...options })
  await app.ready()
  const ofTier = () => warnings.filter(({ msg }) => /local tier|is replaced/.test(msg))
  return { app, cache: app.cache, ofTier }
}

const forbidden = ['client|tracking', 'client|id', 'subscribe', 'client']

for (const command of forbidden) {
  test(`a user who may not use ${command}`, async (t) => {
    const { app, cache, ofTier } = await open({ redis: await redis.denyCommand(command) }, t)
    // Known when the app is ready, whose boot did not wait for it.
    assert.equal(ofTier().length, 1)
    assert.match(ofTier()[0]!.msg, /stays off/)
    assert.match(ofTier()[0]!.err!.message, /NOPERM/)
    for (const value of [1, 2, 3]) {
      await cache.save('k', value)
      assert.deepEqual(await ask(cache, 'k'), { value, from: 'Redis' })
      assert.deepEqual(await ask(cache, 'k'), { value, from: 'Redis' })
    }
    const { isTracking, entries, hits, misses } = cache.local!
    assert.deepEqual({ isTracking, entries, hits, misses }, { isTracking: false, entries: 0, hits: 0, misses: 6 })
    const [used] = redisRegistryOf(app).connections
    await until(() => used!.connection.dedicatedConnections.size === 0, { what: 'nothing is left of the attempt' })
    assert.equal(ofTier().length, 1)
  })
}

test('a user who may not write where proofs lie, or not hear the channel', async (t) => {
  for (const [name, ...rules] of [
    ['no-proofs', '~actionhero:cache:*', '~actionhero:lock:*', '&*', '+@all'],
    ['no-channel', '~*', '&other', '+@all'],
  ]) {
    await redis.command('ACL', 'SETUSER', name!, 'on', '>secret', ...rules)
    const { cache, ofTier } = await open({ redis: `redis://${name}:secret@${redis.host}:${redis.port}` }, t)
    assert.match(ofTier()[0]!.msg, /stays off/)
    await cache.save('k', 1)
    assert.deepEqual([await cache.get('k'), cache.local!.isTracking, ofTier().length], [1, false, 1])
  }
})

test('the store in memory', async (t) => {
  const { cache, ofTier } = await open({ embedded: true }, t)
  assert.deepEqual([cache.local!.isTracking, ofTier().length], [false, 1])
  await cache.save('k', 1)
  assert.deepEqual(await ask(cache, 'k'), { value: 1, from: 'Redis' })
})

test('clients that read from replicas, which have not heard yet of what their master says', async (t) => {
  const cluster = await startRedisCluster({}, t)
  const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
  const sentinel = await startSentinel({}, t)
  const reader = sentinel.client({ role: 'slave' })
  for (const client of [{ cluster: nodes, options: { scaleReads: 'slave' as const } }, reader]) {
    const { cache, ofTier } = await open({ redis: client }, t)
    assert.deepEqual([cache.local!.isTracking, ofTier().length], [false, 1])
    assert.match(ofTier()[0]!.err!.message, /replica/)
  }
})

test('without the option nothing is tracked, counted or warned of', async (t) => {
  const app = fastify()
  atEnd(t, () => app.close())
  await app.register(fastifyAhCache, { redis: redis.url })
  assert.equal(app.cache.local, undefined)
  const [used] = redisRegistryOf(app).connections
  assert.equal(used!.connection.dedicatedConnections.size, 0)
  const value = (await app.cache.save('k', { a: 1 })) && (await app.cache.get<{ a: number }>('k'))
  value!.a = 2
})

test('the option is checked', async () => {
  for (const [local, message] of [
    [{}, /local.*max/],
    [{ max: 0 }, /"local.max": expected/],
    [{ max: 1.5 }, /"local.max": expected/],
    [{ max: 1, ttl: 5 }, /"local.ttl".*did you mean "ttlMs"|unknown option "local.ttl"/],
    [{ max: 1, ttlMs: 0 }, /"local.ttlMs": expected/],
    [true, /"local": expected/],
  ] as [never, RegExp][]) {
    await assert.rejects(async () => fastify().register(fastifyAhCache, { redis: redis.url, local }), message)
  }
})
