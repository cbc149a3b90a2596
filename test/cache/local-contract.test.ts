// The contract with the local tier: on one Redis server, and in a namespace on it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis } from 'fastify-ah-test-support'
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

test('the local tier was on and answered', () => {
  const { isTracking, hits, invalidations } = cache.local!
  assert.equal(isTracking, true)
  assert.ok(hits > 0)
  assert.ok(invalidations > 0)
})
