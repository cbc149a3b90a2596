// The contract of increment.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

const notANumber = { code: 'AH_CACHE_NOT_A_NUMBER' }

export function counterContract({ cache, redis, valueKey }: CacheUnderTest): void {
  const other = cache.withOwner('other')

  test('increment counts from 0 and answers the sum, which get and load see as any value', async () => {
    const key = freshName('counter')
    assert.equal(await cache.increment(key), 1)
    assert.equal(await cache.increment(key, 41), 42)
    assert.equal(await cache.increment(key, -50), -8)
    assert.equal(await cache.increment(key, 0), -8)
    assert.equal(await cache.get(key), -8)
    const { createdAt } = await cache.load(key)
    assert.equal(await redis.get(valueKey(key)), `{"value":-8,"createdAt":${createdAt}}`)
    assert.ok(Math.abs(Date.now() - createdAt) < 60_000)
  })

  test('a saved number is counted on, with its time of saving and its end', async () => {
    const key = freshName('saved counter')
    await cache.save(key, 5, 60_000)
    const { createdAt } = await cache.load(key)
    assert.equal(await cache.increment(key, 5, { expireMs: 600_000 }), 10)
    assert.deepEqual(await cache.load(key), { key, value: 10, createdAt })
    const left = await redis.pttl(valueKey(key))
    assert.ok(left > 0 && left <= 60_000)
  })

  test('expireMs is the end of a counter that the call begins', async () => {
    const key = freshName('ending counter')
    assert.equal(await cache.increment(key, 1, { expireMs: 60_000 }), 1)
    assert.ok((await redis.pttl(valueKey(key))) > 50_000)
    const endless = freshName('endless counter')
    await cache.increment(endless)
    assert.equal(await redis.pttl(valueKey(endless)), -1)
  })

  test('[18a] increments of one tick are all counted, in the order of all calls on the key', async () => {
    const key = freshName('burst counter')
    const sums = await Promise.all(Array.from({ length: 1_000 }, () => cache.increment(key)))
    assert.deepEqual(
      sums,
      Array.from({ length: 1_000 }, (_, index) => index + 1),
    )
    const answers = await Promise.all([
      cache.save(key, 10),
      cache.increment(key),
      cache.get(key),
      cache.increment(key, 2),
      cache.destroy(key),
      cache.increment(key, 7),
      cache.get(key),
    ])
    assert.deepEqual(answers, [true, 11, 11, 13, true, 7, 7])
  })

  test('a number whose tag was invalidated is counted on, and stays hidden', async () => {
    const [key, tag] = [freshName('tagged'), freshName('tag')]
    await cache.save(key, 5, { tags: [tag] })
    await cache.invalidateTags([tag])
    assert.equal(await cache.increment(key), 6)
    assert.equal(await cache.get(key), undefined)
    await cache.destroy(key)
    assert.deepEqual([await cache.increment(key), await cache.get(key)], [1, 1])
  })

  test('what is no whole number cannot be counted on, and stays', async () => {
    const key = freshName('no counter')
    for (const value of ['5', 1.5, null, [1], { value: 1 }, true, 1e21]) {
      await cache.save(key, value)
      await assert.rejects(cache.increment(key), notANumber)
      assert.deepEqual(await cache.get(key), value)
    }
    await cache.destroy(key)
    await cache.push(key, 1)
    await assert.rejects(cache.increment(key), notANumber)
    assert.equal(await cache.listLength(key), 1)
  })

  test('a sum never leaves the numbers that can be told apart', async () => {
    const key = freshName('far counter')
    const most = Number.MAX_SAFE_INTEGER
    assert.equal(await cache.increment(key, most), most)
    await assert.rejects(cache.increment(key), notANumber)
    assert.equal(await cache.get(key), most)
    assert.equal(await cache.increment(key, -most), 0)
    assert.equal(await cache.increment(key, -most), -most)
    await assert.rejects(cache.increment(key, -1), notANumber)
    for (const by of [1.5, Number.NaN, 2 ** 53, '1', null, 1n] as number[]) {
      await assert.rejects(cache.increment(key, by), { code: 'AH_CACHE_VALUE' })
    }
    await assert.rejects(cache.increment(key, 1, { expireMs: 0 }), { code: 'AH_CACHE_DURATION' })
    await assert.rejects(cache.increment(key, 1, { ttl: 1 } as never), { code: 'AH_CACHE_OPTIONS' })
  })

  test('a locked counter is closed to others', async () => {
    const key = freshName('locked counter')
    await cache.lock(key)
    await assert.rejects(other.increment(key), { code: 'AH_CACHE_LOCKED' })
    assert.equal(await cache.increment(key), 1)
    await cache.unlock(key)
    assert.equal(await other.increment(key), 2)
  })
}
