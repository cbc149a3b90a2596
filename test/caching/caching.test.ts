// The cache beside @fastify/caching, which takes the decorator `cache` and its type: under another name, by the entry that
// leaves Fastify's types alone. A folder of its own, since additions to types hold for a whole program.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastifyCaching from '@fastify/caching'
import fastify from 'fastify'
import { type Cache, fastifyAhCache } from 'fastify-ah-cache/plugin'
import { atEnd, startRedis } from 'fastify-ah-test-support'

declare module 'fastify' {
  interface FastifyInstance {
    shared: Cache
  }
}

const redis = await startRedis({}, test)

test('both work in one app, each under its name', async (t) => {
  const app = fastify()
  atEnd(t, () => app.close())
  await app.register(fastifyCaching)
  await app.register(fastifyAhCache, { redis: redis.url, decorator: 'shared' })
  await app.ready()
  const shared: Cache = app.shared
  await shared.save('k', { from: 'ours' })
  const theirs = await new Promise((resolve, reject) => {
    app.cache.set('k', 'from theirs', 10_000, (error) => {
      if (error) reject(error)
      else app.cache.get('k', (failed, entry) => (failed ? reject(failed) : resolve(entry)))
    })
  })
  assert.equal((theirs as { item: unknown }).item, 'from theirs')
  assert.deepEqual(await shared.get('k'), { from: 'ours' })
})

test('the name that is taken is refused, whoever comes second', async (t) => {
  const app = fastify()
  atEnd(t, () => app.close())
  await app.register(fastifyCaching)
  const refused = app.register(fastifyAhCache, { redis: redis.url }).ready()
  await assert.rejects(Promise.resolve(refused), { code: 'AH_CACHE_OPTIONS' })
})
