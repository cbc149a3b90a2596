// The contract of keys: every text is one, character by character.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

export function keyContract({ cache, redis, valueKey, lockKey }: CacheUnderTest): void {
  const stem = freshName('literal')
  const odd = [
    'line\nbreak',
    'carriage\r\nreturn',
    'nul\u0000nul',
    '*',
    '?[a-z]*',
    '\\*',
    '{brace}',
    '}begins',
    '{',
    '{}',
    '😀 emoji 👩‍👩‍👧',
    'é',
    'e\u0301',
    ' space ',
    ':',
    'a:b:c',
    '__proto__',
    'constructor',
    '\ufeffbom',
  ].flatMap((text) => [text, `${stem}${text}`])

  test('[18] odd keys are stored literally and told apart', async () => {
    for (const [index, key] of odd.entries()) await cache.save(key, index)
    for (const [index, key] of odd.entries()) {
      const loaded = await cache.load(key)
      assert.deepEqual([loaded.key, loaded.value], [key, index])
      assert.equal(await redis.exists(valueKey(key)), 1)
    }
    const listed = (await cache.keys()).sort()
    for (const key of odd) {
      assert.ok(listed.includes(key), JSON.stringify(key))
      const beginning = listed.filter((one) => one.startsWith(key))
      assert.deepEqual((await cache.keys(key)).sort(), beginning)
    }
    for (const key of odd) assert.equal(await cache.destroy(key), true)
  })

  test('[18] odd keys are locked and listed literally', async () => {
    for (const key of odd) {
      assert.equal(await cache.lock(key), true)
      assert.equal(await redis.get(lockKey(key)), cache.owner)
      assert.ok((await cache.locks(key)).some((lock) => lock.key === key && lock.owner === cache.owner))
      assert.equal(await cache.unlock(key), true)
    }
    assert.deepEqual(await cache.locks(stem), [])
  })

  test('[18] a key of 1 MB is stored, listed and removed', async () => {
    const key = stem + 'k'.repeat(1024 * 1024)
    await cache.save(key, 'big')
    assert.equal(await cache.get(key), 'big')
    assert.deepEqual(await cache.keys(`${stem}k`), [key])
    assert.equal(await cache.lock(key), true)
    assert.equal(await cache.unlock(key), true)
    assert.equal(await cache.destroy(key), true)
  })

  test('[18] the empty key, what is no text, and half a surrogate pair are refused by every call', async () => {
    for (const key of ['', undefined, null, 7, {}, ['k'], 'half \ud83d', '\udc00'] as string[]) {
      const calls = [
        () => cache.save(key, 1),
        () => cache.load(key),
        () => cache.get(key),
        () => cache.destroy(key),
        () => cache.push(key, 1),
        () => cache.pop(key),
        () => cache.listLength(key),
        () => cache.lock(key),
        () => cache.unlock(key),
        () => cache.checkLock(key),
      ]
      for (const call of calls) await assert.rejects(call(), { code: 'AH_CACHE_KEY' })
    }
    for (const prefix of [null, 7, {}, '\ud83d'] as string[]) {
      await assert.rejects(cache.keys(prefix), { code: 'AH_CACHE_KEY' })
      await assert.rejects(cache.clear(prefix), { code: 'AH_CACHE_KEY' })
      await assert.rejects(cache.locks(prefix), { code: 'AH_CACHE_KEY' })
    }
  })
}
