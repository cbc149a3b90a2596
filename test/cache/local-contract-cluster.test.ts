// The contract with the local tier: on a Redis Cluster of three masters, and in a namespace on it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeySpace } from 'fastify-ah-kit/redis'
import { startRedisCluster } from 'fastify-ah-test-support'
import { cacheContract } from './contract.ts'
import { openCache } from './open-cache.ts'

const cluster = await startRedisCluster({}, test)
const client = cluster.client()
const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
const cache = await openCache({ redis: { cluster: nodes }, local: { max: 10_000 } }, test)
const space = new KeySpace({ prefix: 'actionhero:', isTagged: true })

cacheContract('a Redis Cluster and the local tier', {
  cache,
  redis: client,
  valueKey: (name) => space.key('cache', name),
  lockKey: (name) => space.key('lock', name),
})

cacheContract('a namespace on a Redis Cluster and the local tier', {
  cache: cache.namespace('spaced'),
  redis: client,
  valueKey: (name) => space.key('cache', `spaced:${name}`),
  lockKey: (name) => space.key('lock', `spaced:${name}`),
})

test('the local tier was on and answered', () => {
  const { isTracking, hits, invalidations } = cache.local!
  assert.equal(isTracking, true)
  assert.ok(hits > 0)
  assert.ok(invalidations > 0)
})
