// The order of calls, on a Redis that has never seen a script of ours: a script sent a second time, as text, must not
// be overtaken by what was asked for after it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

test('[18a] the very first calls, made in one tick, happen in their order', async (t) => {
  const redis = await startRedis({}, t)
  const cache = await openCache({ redis: redis.url }, t)
  const [, saved, gone, , again, , refused] = await Promise.allSettled([
    cache.save('k', 1),
    cache.get('k'),
    cache.destroy('k'),
    cache.save('k', 2),
    cache.load('k'),
    cache.lock('k'),
    cache.withOwner('other').get('k'),
  ])
  assert.equal(saved.status === 'fulfilled' && saved.value, 1)
  assert.equal(gone.status === 'fulfilled' && gone.value, true)
  assert.equal(again.status === 'fulfilled' && again.value.value, 2)
  assert.equal(refused.status === 'rejected' && refused.reason.code, 'AH_CACHE_LOCKED')
})
