// The contract with the local tier: on one Redis server, and in a namespace on it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { cacheContract } from './contract.ts'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const cache = await openCache({ redis: redis.url, local: { max: 10_000 } }, test)

cacheContract('one Redis and the local tier', {
  cache,
  redis: client,
  valueKey: (name) => `actionhero:cache:${name}`,
  lockKey: (name) => `actionhero:lock:${name}`,
})

cacheContract('a namespace and the local tier', {
  cache: cache.namespace('outer *').namespace('inner'),
  redis: client,
  valueKey: (name) => `actionhero:cache:outer *:inner:${name}`,
  lockKey: (name) => `actionhero:lock:outer *:inner:${name}`,
})

test('the local tier was on, answered, and heard of changes', async () => {
  await cache.save('heard of', 1)
  const { hits, invalidations } = cache.local!
  await until(async () => {
    await cache.get('heard of')
    return cache.local!.hits > hits
  })
  await client.del('actionhero:cache:heard of')
  await until(() => cache.local!.invalidations > invalidations)
  assert.equal(await cache.get('heard of'), undefined)
  assert.equal(cache.local!.isTracking, true)
})
