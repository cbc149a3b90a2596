// A lock that is taken between two steps of getOrSet: a proxy holds back the answer to the first.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startProxy, startRedis } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)

test('a lock that is taken after the look at the key is waited for too, if the call waits for locks', async (t) => {
  const proxy = await startProxy({ target: redis }, t)
  const cache = await openCache({ redis: proxy.url }, t)
  const other = await openCache({ redis: redis.url, owner: 'another' }, t)
  for (const retry of [true, false]) {
    const held = proxy.holdAnswer(([command]) => command?.toLowerCase() === 'mget')
    const wanted = cache.getOrSet(`k ${retry}`, { expireMs: 60_000, retry }, () => 'made')
    const outcome = wanted.catch((error: { code: string }) => error.code)
    const release = await held
    assert.equal(await other.lock(`k ${retry}`, 60_000), true)
    release()
    if (!retry) {
      assert.equal(await outcome, 'AH_CACHE_LOCKED')
      continue
    }
    // Behind its claim, which was refused.
    assert.equal(await cache.checkLock(`k ${retry}`), false)
    await other.unlock(`k ${retry}`)
    assert.equal(await outcome, 'made')
  }
})
