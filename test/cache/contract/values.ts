// The contract of save, load, get and destroy.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from 'fastify-ah-test-support'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

const code = (expected: string) => ({ code: expected })

export function valueContract({ cache, redis, valueKey }: CacheUnderTest): void {
  test('a saved value is loaded with its key and the time at which it was saved', async () => {
    const key = freshName('value')
    const before = Date.now()
    assert.equal(await cache.save(key, { a: [1, 'b'] }), true)
    const { createdAt, ...rest } = await cache.load(key)
    assert.deepEqual(rest, { key, value: { a: [1, 'b'] } })
    assert.ok(createdAt >= before && createdAt <= Date.now())
    assert.deepEqual(await cache.get(key), { a: [1, 'b'] })
  })

  test('what is stored is exactly what ActionHero stores', async () => {
    const key = freshName('bytes')
    await cache.save(key, ['é', { x: null }])
    const { createdAt } = await cache.load(key)
    assert.equal(await redis.get(valueKey(key)), `{"value":["é",{"x":null}],"createdAt":${createdAt}}`)
  })

  test('a miss is an error of load and undefined for get', async () => {
    const key = freshName('missing')
    await assert.rejects(cache.load(key), code('AH_CACHE_NOT_FOUND'))
    assert.equal(await cache.get(key), undefined)
  })

  test('a second save takes the place of the first, with its end', async () => {
    const key = freshName('again')
    await cache.save(key, 1, 60_000)
    await cache.save(key, 2)
    assert.equal(await cache.get(key), 2)
    assert.equal(await redis.pttl(valueKey(key)), -1)
    await cache.save(key, 3, { expireMs: 60_000 })
    assert.ok((await redis.pttl(valueKey(key))) > 50_000)
    await cache.save(key, 4, null)
    assert.equal(await redis.pttl(valueKey(key)), -1)
  })

  test('[17] 0, the empty text, false, null, [] and {} come back as they were', async () => {
    for (const value of [0, '', false, null, [], {}, -1.5, 'undefined', '\u0000', { data: null }]) {
      const key = freshName('falsy')
      await cache.save(key, value)
      assert.deepEqual((await cache.load(key)).value, value)
      assert.deepEqual(await cache.get(key), value)
    }
  })

  test('a value that has ended is gone', async () => {
    const key = freshName('ending')
    await cache.save(key, 'here', 30)
    await until(async () => (await cache.get(key)) === undefined)
    await assert.rejects(cache.load(key), code('AH_CACHE_NOT_FOUND'))
    assert.equal(await redis.exists(valueKey(key)), 0)
  })

  test('load with expireMs has the value live on and leaves its bytes alone', async () => {
    const key = freshName('renewed')
    await cache.save(key, 'v', 60_000)
    const bytes = await redis.get(valueKey(key))
    assert.equal((await cache.load(key, { expireMs: 600_000 })).value, 'v')
    assert.equal(await redis.get(valueKey(key)), bytes)
    assert.ok((await redis.pttl(valueKey(key))) > 500_000)
    await cache.load(key, { expireMs: 5_000 })
    assert.ok((await redis.pttl(valueKey(key))) <= 5_000)
    await cache.load(key)
    assert.ok((await redis.pttl(valueKey(key))) <= 5_000, 'a plain load moves nothing')
  })

  test('load with expireMs gives an end to a value that had none, and none to a miss', async () => {
    const key = freshName('endless')
    await assert.rejects(cache.load(key, { expireMs: 60_000 }), code('AH_CACHE_NOT_FOUND'))
    assert.equal(await redis.exists(valueKey(key)), 0)
    await cache.save(key, 'v')
    await cache.load(key, { expireMs: 60_000 })
    assert.ok((await redis.pttl(valueKey(key))) > 50_000)
  })

  test('a value is a miss from its expiresAt on, although Redis still holds it', async () => {
    const key = freshName('expired')
    const entry = (expiresAt: number) => JSON.stringify({ value: 'v', createdAt: 1, expiresAt })
    await redis.set(valueKey(key), entry(Date.now() + 60_000))
    assert.equal(await cache.get(key), 'v')
    await redis.set(valueKey(key), entry(Date.now() - 1))
    const { unreadable } = cache
    assert.equal(await cache.get(key), undefined)
    await assert.rejects(cache.load(key), code('AH_CACHE_NOT_FOUND'))
    assert.equal(cache.unreadable, unreadable, 'it can be read, it is over')
  })

  test('destroy says whether there was something', async () => {
    const key = freshName('destroyed')
    assert.equal(await cache.destroy(key), false)
    await cache.save(key, 1)
    assert.equal(await cache.destroy(key), true)
    assert.equal(await cache.destroy(key), false)
    assert.equal(await cache.get(key), undefined)
    await cache.save(key, 2)
    assert.equal(await cache.destroy(key), true)
  })

  test('[18a] what is asked of one key in one tick happens in the order of the calls', async () => {
    const key = freshName('order')
    const [, first, , second, gone, third] = await Promise.all([
      cache.save(key, 1),
      cache.load(key),
      cache.save(key, 2),
      cache.get(key),
      cache.destroy(key),
      cache.get(key),
    ])
    assert.deepEqual([first.value, second, gone, third], [1, 2, true, undefined])
  })

  test('[18a] of 600 reads in one tick only the one of a locked key rejects', async () => {
    const stem = freshName('many')
    const names = Array.from({ length: 600 }, (_, index) => `${stem} ${index}`)
    await Promise.all(names.map((name, index) => cache.save(name, index)))
    assert.equal(await cache.withOwner('somebody else').lock(names[300]!), true)
    const results = await Promise.allSettled(names.map((name) => cache.get(name)))
    for (const [index, result] of results.entries()) {
      if (index === 300) assert.equal(result.status === 'rejected' && result.reason.code, 'AH_CACHE_LOCKED')
      else assert.equal(result.status === 'fulfilled' && result.value, index)
    }
  })

  test('[17] a value that JSON cannot hold is refused and nothing is stored', async () => {
    const key = freshName('unfit')
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    let deep: unknown[] = []
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep]
    const unfit: unknown[] = [
      undefined,
      () => 1,
      Symbol('s'),
      1n,
      { deep: [1n] },
      cycle,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      new Date(Number.NaN),
      { toJSON: () => undefined },
      sleep(1),
      new Map([[1, 2]]),
      new Set([1]),
      /x/,
      new Error('e'),
      new Uint8Array(2),
      new Proxy({}, { getPrototypeOf: () => assert.fail('a trap') }),
      {
        get thrower(): never {
          throw undefined
        },
      },
      { [Symbol.toStringTag]: 1n, big: 1n },
      deep,
      JSON.parse('{"a":{"__proto__":{"isAdmin":true}}}'),
      JSON.parse('{"constructor":{"prototype":{"isAdmin":true}}}'),
    ]
    for (const value of unfit) {
      await assert.rejects(cache.save(key, value), code('AH_CACHE_VALUE'))
      await assert.rejects(cache.push(key, value), code('AH_CACHE_VALUE'))
    }
    assert.equal(await redis.exists(valueKey(key)), 0)
  })

  test('what JSON itself knows how to write is kept: dates, buffers, own toJSON, texts that look like attacks', async () => {
    const key = freshName('fit')
    const date = new Date(0)
    for (const [value, read] of [
      [date, date.toJSON()],
      [Buffer.from('a'), { type: 'Buffer', data: [97] }],
      [{ toJSON: () => [1] }, [1]],
      [{ inner: [undefined, Number.NaN], gone: undefined }, { inner: [null, null] }],
      ['{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'],
      [
        { text: '"__proto__":1', constructor: 'name' },
        { text: '"__proto__":1', constructor: 'name' },
      ],
      [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ]) {
      await cache.save(key, value)
      assert.deepEqual(await cache.get(key), read)
    }
  })

  test('[17] a duration that is no whole number of ms from 1 to 2^53 - 1 is refused everywhere', async () => {
    const key = freshName('duration')
    const unfit: unknown[] = [Number.NaN, 0, -1, 1.5, 2 ** 53, Number.POSITIVE_INFINITY, '1000', {}.constructor, 5n]
    for (const ms of unfit as number[]) {
      await assert.rejects(cache.save(key, 1, ms), code('AH_CACHE_DURATION'))
      await assert.rejects(cache.save(key, 1, { expireMs: ms }), code('AH_CACHE_DURATION'))
      await assert.rejects(cache.load(key, { expireMs: ms }), code('AH_CACHE_DURATION'))
      await assert.rejects(cache.lock(key, ms), code('AH_CACHE_DURATION'))
      if (ms === 0) continue
      await assert.rejects(cache.get(key, { retry: ms }), code('AH_CACHE_DURATION'))
      await assert.rejects(cache.checkLock(key, { retry: ms }), code('AH_CACHE_DURATION'))
    }
    assert.equal(await redis.exists(valueKey(key)), 0)
    await cache.save(key, 1, Number.MAX_SAFE_INTEGER)
    assert.equal(await cache.get(key), 1)
  })

  test('an unknown or old option of a call is refused by name', async () => {
    const key = freshName('options')
    const wrong = (options: object) => options as never
    await assert.rejects(cache.load(key, wrong({ expireTimeMS: 1 })), /"expireTimeMS" is now called "expireMs"/)
    await assert.rejects(cache.save(key, 1, wrong({ expireM: 1 })), /did you mean "expireMs"/)
    await assert.rejects(cache.get(key, wrong({ expireMs: 1 })), code('AH_CACHE_OPTIONS'))
    await assert.rejects(cache.get(key, wrong([])), code('AH_CACHE_OPTIONS'))
    await assert.rejects(cache.checkLock(key, 5 as never), code('AH_CACHE_OPTIONS'))
  })
}
