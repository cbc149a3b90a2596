// The contract of push, pop and listLength.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

export function listContract({ cache, redis, valueKey }: CacheUnderTest): void {
  test('elements are popped in the order in which they were pushed, then null', async () => {
    const key = freshName('list')
    assert.equal(await cache.listLength(key), 0)
    for (const item of ['a string', ['an array'], { what: 'an object' }, 0, '', false]) {
      assert.equal(await cache.push(key, item), true)
    }
    assert.equal(await cache.listLength(key), 6)
    assert.equal(await redis.lindex(valueKey(key), 1), '{"data":["an array"]}')
    for (const item of ['a string', ['an array'], { what: 'an object' }, 0, '', false]) {
      assert.deepEqual(await cache.pop(key), item)
    }
    assert.equal(await cache.pop(key), null)
    assert.equal(await redis.exists(valueKey(key)), 0)
  })

  test('what is asked of one list in one tick happens in the order of the calls', async () => {
    const key = freshName('tick')
    const results = await Promise.all([
      cache.pop(key),
      cache.push(key, 1),
      cache.push(key, 2),
      cache.listLength(key),
      cache.pop(key),
      cache.push(key, 3),
      cache.listLength(key),
      cache.destroy(key),
      cache.pop(key),
      cache.push(key, 4),
      cache.destroy(freshName('tick')),
    ])
    assert.deepEqual(results, [null, true, true, 2, 1, true, 2, true, null, true, false])
    assert.equal(await cache.pop(key), 4)
  })

  test('[18a] list calls keep their place among all other calls of one tick', async () => {
    const key = freshName('mixed')
    const answers = await Promise.all([
      cache.push(key, 'a'),
      cache.destroy(key),
      cache.save(key, 'value'),
      cache.get(key),
      cache.destroy(key),
      cache.push(key, 'b'),
      cache.push(key, 'c'),
      cache.listLength(key),
      cache.pop(key),
      cache.listLength(key),
    ])
    assert.deepEqual(answers, [true, true, true, 'value', true, true, true, 2, 'b', 1])
  })

  test('[18a] a list call comes behind what was asked of its key before it, not yet sent', async () => {
    const key = freshName('behind')
    const [saved, pushed, read] = await Promise.allSettled([cache.save(key, 1), cache.push(key, 2), cache.get(key)])
    assert.equal(saved.status, 'fulfilled')
    assert.equal(pushed.status === 'rejected' && pushed.reason.code, 'AH_CACHE_NOT_A_LIST')
    assert.equal(read.status === 'fulfilled' && read.value, 1)
    const [before, , after] = await Promise.all([cache.get(key), cache.destroy(key), cache.push(key, 3)])
    assert.deepEqual([before, after, await cache.listLength(key)], [1, true, 1])
  })

  test('[18a] what a lock holder asked of a list before it unlocks comes before the next holder', async () => {
    const key = freshName('handed over')
    const other = cache.withOwner('the next one')
    assert.equal(await cache.lock(key), true)
    const answers = await Promise.all([
      cache.push(key, 'mine'),
      cache.unlock(key),
      other.lock(key),
      other.push(key, 'theirs'),
      other.checkLock(key),
      other.pop(key),
      other.unlock(key),
    ])
    assert.deepEqual(answers, [true, true, true, true, true, 'mine', true])
  })

  test('2 000 elements pushed in one tick are all there, in their order', async () => {
    const key = freshName('burst')
    const numbers = Array.from({ length: 2_000 }, (_, index) => index)
    const pushed = numbers.map((number) => cache.push(key, number))
    await pushed[0]
    assert.equal(await cache.listLength(key), 2_000, 'although most of them have not left yet')
    await Promise.all(pushed)
    assert.deepEqual(await Promise.all(numbers.map(() => cache.pop(key))), numbers)
    assert.equal(await cache.pop(key), null)
  })

  test('elements of megabytes arrive whole', async () => {
    const key = freshName('large')
    const items = ['x', 'y', 'z'].map((letter) => letter.repeat(1024 * 1024))
    await Promise.all(items.map((item) => cache.push(key, item)))
    for (const item of items) assert.equal((await cache.pop(key)) === item, true)
  })

  test('a list that another owner locked lets neither push nor pop nor destroy through', async () => {
    const key = freshName('locked list')
    const other = cache.withOwner('other')
    await cache.push(key, 1)
    await cache.lock(key)
    const [pushed, popped, length, mine, gone] = await Promise.allSettled([
      other.push(key, 2),
      other.pop(key),
      other.listLength(key),
      cache.push(key, 3),
      other.destroy(key),
    ])
    for (const one of [pushed, popped, gone]) {
      assert.equal(one.status === 'rejected' && one.reason.code, 'AH_CACHE_LOCKED')
    }
    assert.deepEqual(
      [length, mine],
      [
        { status: 'fulfilled', value: 1 },
        { status: 'fulfilled', value: true },
      ],
    )
    await cache.unlock(key)
    assert.deepEqual([await other.pop(key), await other.pop(key), await other.pop(key)], [1, 3, null])
  })

  test('a value is no list and a list is no value', async () => {
    const key = freshName('kind')
    const notAList = { code: 'AH_CACHE_NOT_A_LIST' }
    await cache.save(key, 1)
    await assert.rejects(cache.push(key, 1), notAList)
    await assert.rejects(cache.pop(key), notAList)
    await assert.rejects(cache.listLength(key), notAList)
    const [pushed, length, destroyed] = await Promise.allSettled([
      cache.push(key, 1),
      cache.listLength(key),
      cache.destroy(key),
    ])
    assert.equal(pushed.status === 'rejected' && pushed.reason.code, notAList.code)
    assert.equal(length.status === 'rejected' && length.reason.code, notAList.code)
    assert.deepEqual(destroyed, { status: 'fulfilled', value: true })
    await cache.push(key, 'now a list')
    assert.equal(await cache.get(key), undefined)
    await assert.rejects(cache.load(key, { expireMs: 1_000 }), { code: 'AH_CACHE_NOT_FOUND' })
    assert.equal(await redis.pttl(valueKey(key)), -1)
    await cache.save(key, 'a value again')
    assert.equal(await cache.get(key), 'a value again')
  })
}
