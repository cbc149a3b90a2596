// The contract of keys, size and clear.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'fastify-ah-test-support'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

export function listingContract({ cache, redis, lockKey }: CacheUnderTest): void {
  test('keys lists values and lists under the names that they were given', async () => {
    const stem = freshName('listing')
    await cache.save(`${stem} value`, 1)
    await cache.push(`${stem} list`, 1)
    await cache.lock(`${stem} lock`)
    assert.deepEqual((await cache.keys(stem)).sort(), [`${stem} list`, `${stem} value`])
    assert.deepEqual(await cache.keys(`${stem} v`), [`${stem} value`])
    const all = await cache.keys()
    assert.equal(new Set(all).size, all.length)
    // What other tests saved may end between the two questions.
    await until(async () => (await cache.size()) === (await cache.keys()).length)
  })

  test('clear removes all, says how many, and leaves locks alone', async () => {
    const key = freshName('cleared')
    await cache.clear()
    await Promise.all([cache.save(key, 1), cache.push(`${key} list`, 1), cache.lock(`${key} locked`)])
    assert.equal(await cache.size(), 2)
    assert.equal(await cache.clear(), 2)
    assert.equal(await cache.clear(), 0)
    assert.equal(await cache.size(), 0)
    assert.deepEqual(await cache.keys(), [])
    assert.equal(await redis.exists(lockKey(`${key} locked`)), 1)
  })

  test("[18] clear('a*') never touches a neighbour, whatever the prefix looks like", async () => {
    const prefixes = ['a*', 'a?', 'a[b]', '[a-z]', '\\', 'a\\*', '*', '?', '{', '}', '}:', '{x}:', 'a\n', '^', 'a*}:']
    for (const prefix of prefixes) {
      await cache.clear()
      const neighbours = ['a', 'ab', 'abc', 'a}:', 'b', 'x*', '0}:a*1', '0}:{x}:1', 'x\\'].filter(
        (name) => !name.startsWith(prefix),
      )
      await Promise.all([...neighbours, prefix, `${prefix}1`].map((name) => cache.save(name, 1)))
      assert.deepEqual((await cache.keys(prefix)).sort(), [prefix, `${prefix}1`].sort())
      assert.equal(await cache.clear(prefix), 2, prefix)
      assert.deepEqual((await cache.keys()).sort(), neighbours.sort(), prefix)
    }
  })

  test('more keys than fit into one page are listed, counted and cleared', async () => {
    await cache.clear()
    const names = Array.from({ length: 3_000 }, (_, index) => `page ${index}`)
    await Promise.all(names.map((name) => cache.save(name, 1)))
    assert.deepEqual((await cache.keys()).sort(), names.sort())
    assert.equal(await cache.size(), 3_000)
    assert.equal(await cache.clear('page 1'), 1_111)
    assert.equal(await cache.clear(), 1_889)
  })
}
