// The contract of withLock and of fencing tokens.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'fastify-ah-test-support'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

export function lockedRunContract({ cache, redis, lockKey }: CacheUnderTest): void {
  const other = cache.withOwner('other')
  const lost = { code: 'AH_CACHE_LOCK_LOST' }

  test('withLock holds the lock while the work runs, answers what it answers, and frees the key', async () => {
    const key = freshName('run')
    const answer = await cache.withLock(key, { ms: 60_000 }, async (signal, token) => {
      assert.equal(signal.aborted, false)
      assert.ok(Number.isSafeInteger(token) && token > 1_700_000_000_000_000)
      assert.equal(await redis.get(lockKey(key)), cache.owner)
      assert.ok((await redis.pttl(lockKey(key))) > 50_000)
      await assert.rejects(other.save(key, 1), { code: 'AH_CACHE_LOCKED' })
      await cache.save(key, 'mine')
      return 'done'
    })
    assert.equal(answer, 'done')
    assert.equal(await redis.exists(lockKey(key)), 0)
    assert.equal(await other.get(key), 'mine')
    assert.equal(await cache.withLock(key, {}, () => 1), 1, 'work need not be asynchronous')
  })

  test('what the work throws is thrown, and the key is free', async () => {
    const key = freshName('throwing run')
    const error = new Error('boom')
    await assert.rejects(
      cache.withLock(key, {}, () => Promise.reject(error)),
      (thrown) => thrown === error,
    )
    await assert.rejects(
      cache.withLock(key, {}, () => {
        throw error
      }),
      (thrown) => thrown === error,
    )
    assert.equal(await other.lock(key), true)
  })

  test('[15] the runs of one process on one key exclude each other, and each token is larger than the last', async () => {
    const key = freshName('queue')
    const tokens: number[] = []
    let inside = 0
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        (index % 2 === 0 ? cache : other).withLock(key, { waitMs: 30_000 }, async (_signal, token) => {
          inside += 1
          assert.equal(inside, 1)
          tokens.push(token)
          await cache.keys(key)
          inside -= 1
        }),
      ),
    )
    assert.deepEqual(
      tokens,
      [...tokens].sort((a, b) => a - b),
    )
    assert.equal(new Set(tokens).size, 8)
  })

  test('a lock that is held is refused at once, or after waitMs', async () => {
    const key = freshName('taken')
    await other.lock(key, 60_000)
    const refused = { code: 'AH_CACHE_LOCKED' }
    await assert.rejects(
      cache.withLock(key, {}, () => assert.fail('it ran')),
      refused,
    )
    await assert.rejects(
      cache.withLock(key, { waitMs: 30 }, () => assert.fail('it ran')),
      refused,
    )
    const waiting = cache.withLock(key, { waitMs: 30_000 }, () => 'at last')
    await other.unlock(key)
    assert.equal(await waiting, 'at last')
  })

  test('the lock is renewed for as long as the work takes', async () => {
    const key = freshName('long run')
    // Long enough for a machine that has more to do, and several renewals.
    await cache.withLock(key, { ms: 600 }, async (signal) => {
      const start = performance.now()
      let looks = 0
      await until(async () => {
        assert.equal(await redis.get(lockKey(key)), cache.owner)
        looks += 1
        return performance.now() - start > 1_500
      })
      assert.ok(looks > 3)
      assert.equal(signal.aborted, false)
    })
  })

  test('[14] a lock that was taken away aborts the signal, and the run is told', async () => {
    const key = freshName('stolen')
    const { locksLost } = cache.stats()
    let reason: unknown
    const run = cache.withLock(key, { ms: 150 }, async (signal) => {
      await redis.set(lockKey(key), 'a thief', 'PX', 60_000)
      await until(() => signal.aborted)
      reason = signal.reason
      return 'too late'
    })
    await assert.rejects(run, lost)
    assert.equal((reason as { code?: string }).code, lost.code)
    assert.equal(await redis.get(lockKey(key)), 'a thief', 'it is not taken from the next one')
    assert.equal(cache.stats().locksLost, locksLost + 1)
    await redis.del(lockKey(key))
  })

  test('[14] a lock of the same owner that a later call took is neither renewed nor freed by the earlier one', async () => {
    const key = freshName('same owner')
    const run = cache.withLock(key, { ms: 150 }, async (signal) => {
      await cache.unlock(key)
      assert.equal(await cache.lock(key, 60_000), true)
      await until(() => signal.aborted)
    })
    await assert.rejects(run, lost)
    assert.equal(await redis.get(lockKey(key)), cache.owner)
    assert.ok((await redis.pttl(lockKey(key))) > 50_000)
  })

  test('a save with the token of a lock that another took since is refused', async () => {
    const key = freshName('fenced')
    const first = await cache.withLock(key, {}, async (_, token) => {
      assert.equal(await cache.save(key, 1, { fencingToken: token, expireMs: 60_000 }), true)
      return token
    })
    assert.equal(await cache.save(key, 2, { fencingToken: first }), true, 'nobody came in between')
    const second = await other.withLock(key, {}, (_, token) => token)
    assert.ok(second > first)
    await assert.rejects(cache.save(key, 3, { fencingToken: first }), { code: 'AH_CACHE_FENCED' })
    assert.equal(await cache.get(key), 2)
    assert.equal(await cache.save(key, 4, { fencingToken: second }), true)
    assert.equal(await other.lock(key), true)
    await other.unlock(key)
    await assert.rejects(
      cache.save(key, 5, { fencingToken: second }),
      { code: 'AH_CACHE_FENCED' },
      'a plain lock counts',
    )
    assert.equal(await cache.save(key, 6), true, 'without a token nothing is compared')
    await other.lock(key)
    await assert.rejects(cache.save(key, 7, { fencingToken: second + 1e6 }), { code: 'AH_CACHE_LOCKED' })
    await other.unlock(key)
  })

  test('wrong options of withLock and of a token are refused', async () => {
    const key = freshName('wrong run')
    const run = () => assert.fail('it ran')
    await assert.rejects(cache.withLock('', {}, run), { code: 'AH_CACHE_KEY' })
    for (const ms of [0, -1, 1.5, Number.NaN, '1'] as number[]) {
      await assert.rejects(cache.withLock(key, { ms }, run), { code: 'AH_CACHE_DURATION' })
    }
    await assert.rejects(cache.withLock(key, { ms: 29 }, run), { code: 'AH_CACHE_OPTIONS' })
    await assert.rejects(cache.withLock(key, { waitMs: -1 }, run), { code: 'AH_CACHE_DURATION' })
    await assert.rejects(cache.withLock(key, { retry: true } as never, run), { code: 'AH_CACHE_OPTIONS' })
    await assert.rejects(cache.withLock(key, {}, 7 as never), { code: 'AH_CACHE_OPTIONS' })
    for (const fencingToken of [0, -1, 1.5, '5', Number.NaN] as number[]) {
      await assert.rejects(cache.save(key, 1, { fencingToken }), { code: 'AH_CACHE_OPTIONS' })
    }
    assert.equal(await redis.exists(lockKey(key)), 0)
  })
}
