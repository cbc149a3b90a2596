// What the local tier keeps in memory, for how long, and in what form.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { ask, untilHeard, warm } from './local-reads.ts'
import { openCache } from './open-cache.ts'

const redis = await startRedis({ config: { 'enable-debug-command': 'local' } }, test)
const client = redis.client()
const local = { max: 100 }

const stored = (value: unknown, more = {}) => JSON.stringify({ value, createdAt: 1, ...more })
const valueKey = (name: string) => `actionhero:cache:${name}`
const write = (name: string, value: string) => client.set(valueKey(name), value)

test('a value is not answered past its end, though Redis has not removed it yet', async (t) => {
  const cache = await openCache({ redis: redis.url, local }, t)
  await redis.command('DEBUG', 'SET-ACTIVE-EXPIRE', '0')
  t.after(() => redis.command('DEBUG', 'SET-ACTIVE-EXPIRE', '1'))
  await cache.save('ending', 1, 150)
  await warm(cache, 'ending')
  const { invalidations } = cache.local!
  await until(async () => (await cache.get('ending')) === undefined)
  assert.equal(cache.local!.invalidations, invalidations, 'nobody told of its end')
  assert.equal(cache.local!.entries, 0)
})

test('a value is not answered past its own expiresAt, nor longer than ttlMs', async (t) => {
  const cache = await openCache({ redis: redis.url, local: { max: 10, ttlMs: 100 } }, t)
  await write('expiring', stored(1, { expiresAt: Date.now() + 150 }))
  await until(async () => (await cache.get('expiring')) === undefined)
  assert.equal(await client.exists(valueKey('expiring')), 1)

  await cache.save('old', 1)
  await warm(cache, 'old')
  await until(async () => (await ask(cache, 'old')).from === 'Redis', { what: 'Redis is asked after ttlMs' })
  assert.equal(await warm(cache, 'old'), 1)
})

test('no more than max values; the least recently used go', async (t) => {
  const cache = await openCache({ redis: redis.url, local: { max: 3 } }, t)
  for (const key of ['a', 'b', 'c']) await cache.save(key, key)
  for (const key of ['a', 'b', 'c', 'a']) await warm(cache, key)
  await cache.save('d', 'd')
  await warm(cache, 'd')
  assert.equal(cache.local!.entries, 3)
  const answers = await Promise.all(['a', 'c', 'd'].map((key) => cache.get(key)))
  assert.deepEqual(answers, ['a', 'c', 'd'])
  assert.deepEqual(await ask(cache, 'b'), { value: 'b', from: 'Redis' })
  for (let index = 0; index < 500; index += 1) await write(`many ${index}`, stored(index))
  await Promise.all(Array.from({ length: 500 }, (_, index) => cache.get(`many ${index}`)))
  assert.ok(cache.local!.entries <= 3)
})

test('a miss, a list and what is no entry are not kept', async (t) => {
  const cache = await openCache({ redis: redis.url, local }, t)
  await cache.push('list', 1)
  await write('broken', '{')
  for (const key of ['missing', 'list', 'broken']) assert.equal(await cache.get(key), undefined)
  await untilHeard(cache, write)
  const { entries } = cache.local!
  for (const key of ['missing', 'list', 'broken']) assert.equal((await ask(cache, key)).from, 'Redis')
  await untilHeard(cache, write)
  // Each of the two waits leaves one of its own.
  assert.equal(cache.local!.entries, entries)
})

test('every value is frozen to its depth, from Redis and from memory, also where the tier is off', async (t) => {
  const on = await openCache({ redis: redis.url, local }, t)
  const off = await openCache({ embedded: true, local }, t)
  assert.equal(off.local!.isTracking, false)
  const depth = 20_000
  for (const cache of [on, off]) {
    await cache.save('frozen', { list: [{ inner: 1 }], text: 'x', none: null })
    type Value = { list: { inner: number }[]; text: string }
    const read = () => cache.get<Value>('frozen')
    for (const found of [await read(), await read(), (await cache.load<Value>('frozen')).value]) {
      const value = found!
      assert.throws(() => (value.text = 'y'), TypeError)
      assert.throws(() => value.list.push({ inner: 2 }), TypeError)
      assert.throws(() => (value.list[0]!.inner = 2), TypeError)
    }
    const renewed = await cache.load<{ text: string }>('frozen', { expireMs: 60_000 })
    assert.throws(() => (renewed.value.text = 'y'), TypeError)
  }
  await write('deep', stored('x').replace('"x"', '['.repeat(depth) + ']'.repeat(depth)))
  let level = await on.get<unknown[]>('deep')
  for (let seen = 0; seen < depth; seen += 1) {
    assert.ok(Object.isFrozen(level))
    level = level?.[0] as unknown[] | undefined
  }
  assert.equal(level, undefined)
})
