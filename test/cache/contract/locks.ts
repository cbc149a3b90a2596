// The contract of lock, unlock, checkLock and locks, and of what a lock keeps out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'fastify-ah-test-support'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

const locked = { code: 'AH_CACHE_LOCKED' }

export function lockContract({ cache, redis, valueKey, lockKey }: CacheUnderTest): void {
  const other = cache.withOwner('other')

  test('a lock is the owner under the lock key, with an end', async () => {
    const key = freshName('lock')
    assert.equal(await cache.lock(key), true)
    assert.equal(await redis.get(lockKey(key)), cache.owner)
    const defaultEnd = await redis.pttl(lockKey(key))
    assert.ok(defaultEnd > 9_000 && defaultEnd <= 10_000, `10 s, not ${defaultEnd}`)
    assert.equal(await other.lock(freshName('lock'), 60_000), true)
    assert.equal(await cache.unlock(key), true)
    assert.equal(await redis.exists(lockKey(key)), 0)
  })

  test('a held lock is refused to everybody, its own owner too', async () => {
    const key = freshName('held')
    assert.equal(await cache.lock(key), true)
    assert.equal(await other.lock(key), false)
    assert.equal(await cache.lock(key), false)
  })

  test('[15] of many callers with different owners exactly one gets the lock', async () => {
    const key = freshName('race')
    const owners = Array.from({ length: 50 }, (_, index) => cache.withOwner(`racer ${index}`))
    const taken = await Promise.all(owners.map((one) => one.lock(key)))
    assert.equal(taken.filter(Boolean).length, 1)
    const winner = owners[taken.indexOf(true)]!
    for (const one of owners) {
      assert.equal(await one.checkLock(key), one === winner)
      if (one !== winner) assert.equal(await one.unlock(key), false)
    }
    assert.equal(await redis.get(lockKey(key)), winner.owner)
    assert.equal(await winner.unlock(key), true)
  })

  test('a locked key is closed to others and open to its owner', async () => {
    const key = freshName('closed')
    await cache.save(key, 1, 60_000)
    await cache.lock(key)
    const refused = [
      () => other.save(key, 2),
      () => other.get(key),
      () => other.load(key),
      () => other.load(key, { expireMs: 600_000 }),
      () => other.destroy(key),
    ]
    for (const call of refused) await assert.rejects(call(), locked)
    assert.ok((await redis.pttl(valueKey(key))) <= 60_000, 'a refused load renews nothing')
    assert.equal(await cache.get(key), 1)
    assert.equal(await cache.save(key, 3), true)
    assert.equal((await cache.load(key)).value, 3)
    assert.equal(await cache.destroy(key), true)
    await cache.unlock(key)
    assert.equal(await other.save(key, 4), true)
  })

  test('the lock of a key that does not exist closes it too', async () => {
    const key = freshName('closed and empty')
    await cache.lock(key)
    await assert.rejects(other.get(key), locked)
    await assert.rejects(other.save(key, 1), locked)
    await cache.unlock(key)
    assert.equal(await other.get(key), undefined)
  })

  test('a lock ends by itself', async () => {
    const key = freshName('short')
    assert.equal(await cache.lock(key, 40), true)
    await until(() => other.lock(key))
    assert.equal(await cache.unlock(key), false)
    assert.equal(await other.unlock(key), true)
  })

  test('unlock says true for what nobody holds', async () => {
    assert.equal(await cache.unlock(freshName('free')), true)
  })

  test('checkLock is true for a free key and for the holder', async () => {
    const key = freshName('checked')
    assert.equal(await other.checkLock(key), true)
    await cache.lock(key)
    assert.equal(await cache.checkLock(key), true)
    assert.equal(await other.checkLock(key), false)
    assert.equal(await other.checkLock(key, { retry: 30 }), false)
    assert.equal(await other.checkLock(key, { retry: 0 }), false)
    assert.equal(await other.checkLock(key, { retry: false }), false)
  })

  test('retry waits for the lock and never passes a locked key', async () => {
    const key = freshName('awaited')
    await cache.save(key, 'old')
    await cache.lock(key, 60_000)
    const waiting = [
      other.load(key, { retry: 20_000 }),
      other.load(key, { retry: true, expireMs: 60_000 }),
      other.get(key, { retry: true }),
      other.checkLock(key, { retry: true }),
    ]
    const settled = new Set<unknown>()
    for (const one of waiting) void one.finally(() => settled.add(one))
    // Each has asked at least once and been refused by then.
    await assert.rejects(other.get(key, { retry: 250 }), locked)
    assert.equal(settled.size, 0)
    await cache.save(key, 'new')
    await cache.unlock(key)
    const [first, second, third, fourth] = await Promise.all(waiting)
    assert.deepEqual(
      [(first as { value: unknown }).value, (second as { value: unknown }).value, third, fourth],
      ['new', 'new', 'new', true],
    )
  })

  test('a wait for a lock that stays ends with its time', async () => {
    const key = freshName('stays')
    await cache.lock(key, 60_000)
    await assert.rejects(other.load(key, { retry: 50 }), locked)
    await assert.rejects(other.get(key, { retry: 50 }), locked)
  })

  test('locks lists the locks with their owners and what they have left', async () => {
    const stem = freshName('listed')
    await cache.lock(`${stem} a`, 60_000)
    await other.lock(`${stem} b`, 60_000)
    await redis.set(lockKey(`${stem} endless`), 'a stranger')
    const listed = (await cache.locks(stem)).sort((a, b) => a.key.localeCompare(b.key))
    assert.deepEqual(
      listed.map(({ key, owner }) => [key, owner]),
      [
        [`${stem} a`, cache.owner],
        [`${stem} b`, 'other'],
        [`${stem} endless`, 'a stranger'],
      ],
    )
    for (const { expiresInMs } of listed.slice(0, 2)) assert.ok(expiresInMs! > 50_000 && expiresInMs! <= 60_000)
    assert.equal(listed[2]!.expiresInMs, undefined)
    assert.deepEqual(await cache.locks(`${stem} c`), [])
    assert.ok((await cache.locks()).length >= 3)
  })

  test('the id of an owner is a text that is not empty', () => {
    for (const id of ['', undefined, 7, '\ud83d'] as string[])
      assert.throws(() => cache.withOwner(id), { code: 'AH_CACHE_OWNER' })
    assert.equal(cache.withOwner('me').owner, 'me')
  })
}
