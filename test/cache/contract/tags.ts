// The contract of tags and invalidateTags.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

export function tagContract({ cache, redis, valueKey }: CacheUnderTest): void {
  test('values with a tag are gone at once when it is invalidated, others stay', async () => {
    const [a, b, c, tag] = ['a', 'b', 'c', 'tag'].map((name) => freshName(name)) as [string, string, string, string]
    await cache.save(a, 1, { tags: [tag, 'another'], expireMs: 60_000 })
    await cache.save(b, 2, { tags: ['another'] })
    await cache.save(c, 3)
    assert.deepEqual([await cache.get(a), await cache.get(b), await cache.get(c)], [1, 2, 3])
    assert.equal(await cache.invalidateTags([tag]), true)
    assert.deepEqual([await cache.get(a), await cache.get(b), await cache.get(c)], [undefined, 2, 3])
    await assert.rejects(cache.load(a), { code: 'AH_CACHE_NOT_FOUND' })
    await assert.rejects(cache.load(a, { expireMs: 60_000 }), { code: 'AH_CACHE_NOT_FOUND' })
    assert.equal((await cache.loadMany([a, b]))[0], undefined)
    await cache.save(a, 4, { tags: [tag] })
    assert.equal(await cache.get(a), 4)
    await cache.invalidateTags([tag, tag])
    assert.equal(await cache.get(a), undefined, 'a second time too')
    assert.equal(await cache.invalidateTags([]), true)
  })

  test('[18a] saves with tags, reads and invalidations of one tick happen in their order', async () => {
    const [key, tag] = [freshName('k'), freshName('tag')]
    const tags = [tag]
    const answers = await Promise.all([
      cache.save(key, 1, { tags }),
      cache.get(key),
      cache.save(key, 2),
      cache.get(key),
      cache.save(key, 3, { tags }),
      cache.increment(key),
      cache.get(key),
      cache.destroy(key),
      cache.save(key, 5, { tags }),
      cache.lock(key),
    ])
    assert.deepEqual(answers, [true, 1, true, 2, true, 4, 4, true, true, true])
    assert.equal(await cache.get(key), 5)
    const [, gone] = await Promise.all([cache.invalidateTags(tags), cache.get(key)])
    assert.equal(gone, undefined)
    await cache.unlock(key)
  })

  test('[18a] a value that was saved just before its tag is invalidated in the same tick is gone', async () => {
    const [key, tag] = [freshName('k'), freshName('tag')]
    const tags = [tag]
    await Promise.all([cache.save(key, 1, { tags }), cache.invalidateTags(tags)])
    assert.equal(await cache.get(key), undefined)
    // Here the save has to wait, for what was asked of its key before.
    await Promise.all([
      cache.save(key, 1),
      cache.increment(key),
      cache.save(key, 2, { tags }),
      cache.invalidateTags(tags),
    ])
    assert.equal(await cache.get(key), undefined)
  })

  test('a value that is invalidated while it is produced is gone', async () => {
    const [key, tag] = [freshName('k'), freshName('tag')]
    const options = { expireMs: 60_000, tags: [tag] }
    const value = await cache.getOrSet(key, options, async () => {
      await cache.invalidateTags([tag])
      return 'of what was before'
    })
    assert.equal(value, 'of what was before')
    assert.equal(await cache.get(key), undefined)
    assert.equal(await cache.getOrSet(key, options, () => 'new'), 'new')
    assert.equal(await cache.getOrSet(key, options, () => assert.fail('it ran')), 'new')
    await cache.invalidateTags([tag])
    assert.equal(await cache.getOrSet(key, options, () => 'newer'), 'newer')
  })

  test('odd tags are taken literally, and what is none is refused', async () => {
    const key = freshName('odd tags')
    for (const tag of ['__proto__', 'a:b', '{x}', '*', 'line\n', '😀', '"createdAt":1']) {
      await cache.save(key, tag, { tags: [tag] })
      assert.equal(await cache.get(key), tag)
      await cache.invalidateTags([tag])
      assert.equal(await cache.get(key), undefined)
    }
    for (const tag of ['', 7, null, '\ud83d'] as string[]) {
      await assert.rejects(cache.save(key, 1, { tags: [tag] }), { code: 'AH_CACHE_KEY' })
      await assert.rejects(cache.invalidateTags([tag]), { code: 'AH_CACHE_KEY' })
    }
    await assert.rejects(cache.invalidateTags('a' as never), { code: 'AH_CACHE_OPTIONS' })
    assert.equal(await cache.get(key), undefined)
  })

  test('a namespace has tags of its own', async () => {
    const [key, tag] = [freshName('k'), freshName('tag')]
    const inside = cache.namespace(freshName('tagged'))
    await Promise.all([cache.save(key, 1, { tags: [tag] }), inside.save(key, 2, { tags: [tag] })])
    await inside.invalidateTags([tag])
    assert.deepEqual([await cache.get(key), await inside.get(key)], [1, undefined])
    assert.equal(await redis.exists(valueKey(key)), 1)
  })
}
