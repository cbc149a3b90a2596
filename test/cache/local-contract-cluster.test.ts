// The contract with the local tier: on a Redis Cluster of three masters, and in a namespace on it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeySpace } from 'fastify-ah-kit/redis'
import { startRedisCluster, until } from 'fastify-ah-test-support'
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

test('the local tier was on, answered, and heard of changes', async () => {
  await cache.save('heard of', 1)
  const { hits, invalidations } = cache.local!
  await until(async () => {
    await cache.get('heard of')
    return cache.local!.hits > hits
  })
  await client.del(space.key('cache', 'heard of'))
  await until(() => cache.local!.invalidations > invalidations)
  assert.equal(await cache.get('heard of'), undefined)
  assert.equal(cache.local!.isTracking, true)
})
