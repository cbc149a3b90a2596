// The local tier on one Redis: what memory answers, and what it does not.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { startRedis, until } from 'fastify-ah-test-support'
import { ask, untilHeard, warm } from './local-reads.ts'
import { openCache } from './open-cache.ts'

const redis = await startRedis({ config: { 'enable-debug-command': 'local' } }, test)
const client = redis.client()
const local = { max: 100 }

const stored = (value: unknown, more = {}) => JSON.stringify({ value, createdAt: 1, ...more })
const valueKey = (name: string) => `actionhero:cache:${name}`
const write = (name: string, value: string) => client.set(valueKey(name), value)

/** Blocks the event loop. */
function compute(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

describe('what another process does', () => {
  test('a value that was read is answered from memory, until somebody changes it', async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    await write('a', stored({ n: 1 }))
    assert.deepEqual(await ask(cache, 'a'), { value: { n: 1 }, from: 'Redis' })
    assert.deepEqual(await warm(cache, 'a'), { n: 1 })
    for (const change of [
      () => write('a', stored({ n: 2 })),
      () => client.unlink(valueKey('a')),
      () => client.set(valueKey('a'), stored({ n: 3 }), 'PX', 60_000),
      () => client.pexpire(valueKey('a'), 70_000),
      () => client.rename(valueKey('a'), valueKey('b')),
      () => client.copy(valueKey('b'), valueKey('a'), 'REPLACE'),
      () => client.eval("redis.call('SET', KEYS[1], ARGV[1])", 1, valueKey('a'), stored({ n: 4 })),
      () =>
        client
          .multi()
          .set(valueKey('a'), stored({ n: 5 }))
          .exec(),
    ]) {
      const { invalidations } = cache.local!
      await change()
      await until(() => cache.local!.invalidations > invalidations, { what: `${change} is heard` })
      const bytes = await client.get(valueKey('a'))
      const now = bytes === null ? undefined : JSON.parse(bytes).value
      assert.deepEqual(await ask(cache, 'a'), { value: now, from: 'Redis' })
      // For the next round there must be something to forget.
      if (now === undefined) await write('a', stored({ n: 0 }))
      await warm(cache, 'a')
    }
  })

  test('FLUSHALL and FLUSHDB empty memory', async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    for (const command of ['FLUSHALL', 'FLUSHDB']) {
      await Promise.all([cache.save('a', 1), cache.save('b', 2)])
      await warm(cache, 'a')
      await warm(cache, 'b')
      await redis.command(command)
      await until(() => cache.local!.entries === 0, { what: `${command} is heard` })
      assert.deepEqual(await ask(cache, 'a'), { value: undefined, from: 'Redis' })
    }
  })

  test("a key that another process locks is not answered from memory, its owner's own lock neither", async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    const other = await openCache({ redis: redis.url, owner: 'other' }, t)
    await cache.save('locked', 1)
    await warm(cache, 'locked')
    assert.equal(await other.lock('locked', 60_000), true)
    await until(() => cache.local!.entries === 0)
    await assert.rejects(cache.get('locked'), { code: 'AH_CACHE_LOCKED' })
    await other.unlock('locked')
    assert.equal(await warm(cache, 'locked'), 1)

    assert.equal(await cache.lock('locked', 60_000), true)
    await untilHeard(cache, write)
    assert.deepEqual(await ask(cache, 'locked'), { value: 1, from: 'Redis' })
    await untilHeard(cache, write)
    assert.deepEqual(await ask(cache, 'locked'), { value: 1, from: 'Redis' }, 'memory belongs to all owners')
    await assert.rejects(cache.withOwner('stranger').get('locked'), { code: 'AH_CACHE_LOCKED' })
    await cache.unlock('locked')
    assert.equal(await warm(cache, 'locked'), 1)
  })

  test('keys that are no text, and what somebody publishes on the channel of tracking, do no harm', async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    await cache.save('a', 1)
    await warm(cache, 'a')
    await client.set(Buffer.from(`${valueKey('')}\xff\xfe`, 'latin1'), 'x')
    await client.publish('__redis__:invalidate', valueKey('a'))
    await client.publish('__redis__:invalidate', '')
    await untilHeard(cache, write)
    assert.deepEqual(await ask(cache, 'a'), { value: 1, from: 'memory' })
  })
})

describe('what this process does', () => {
  test('[18a] a read behind a write of the same tick answers what was written', async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    await cache.save('k', 0)
    for (let round = 1; round <= 20; round += 1) {
      await warm(cache, 'k')
      const [before, , during] = await Promise.all([cache.get('k'), cache.save('k', round), cache.get('k')])
      assert.deepEqual([before, during, await cache.get('k')], [round - 1, round, round])
    }
    await warm(cache, 'k')
    assert.deepEqual(await Promise.all([cache.destroy('k'), cache.get('k')]), [true, undefined])
    assert.equal(await cache.get('k'), undefined)
  })

  test('all that writes is seen at once: renewals, locks, clear, dumps', async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    await cache.save('k', 1)
    await warm(cache, 'k')
    await cache.load('k', { expireMs: 30 })
    compute(31)
    assert.equal(await cache.get('k'), undefined)

    await cache.save('k', 2)
    await warm(cache, 'k')
    const [isTaken, blocked] = await Promise.allSettled([cache.withOwner('me').lock('k', 60_000), cache.get('k')])
    assert.equal(isTaken.status === 'fulfilled' && isTaken.value, true)
    assert.equal(blocked.status === 'rejected' && blocked.reason.code, 'AH_CACHE_LOCKED')
    await cache.withOwner('me').unlock('k')

    await warm(cache, 'k')
    await cache.clear('k')
    assert.equal(await cache.get('k'), undefined)
  })

  test('namespaces share the memory, and keep their keys apart', async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    const inside = cache.namespace('ns')
    await Promise.all([cache.save('k', 'outer'), inside.save('k', 'inner')])
    assert.deepEqual([await warm(cache, 'k'), await warm(inside, 'k')], ['outer', 'inner'])
    assert.deepEqual(await ask(cache, 'ns:k'), { value: 'inner', from: 'memory' })
    await inside.save('k', 'new')
    assert.equal(await cache.get('ns:k'), 'new')
    assert.deepEqual(await ask(cache, 'k'), { value: 'outer', from: 'memory' })
    for (const wrong of [7, Symbol('k'), null, { toString: () => 'k' }] as never[]) {
      await assert.rejects(inside.get(wrong), { code: 'AH_CACHE_KEY' })
    }
  })

  test('load answers from memory too, with the time at which the value was saved', async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    await write('loaded', stored('v', { createdAt: 5 }))
    await warm(cache, 'loaded')
    const { hits } = cache.local!
    assert.deepEqual(await cache.load('loaded'), { key: 'loaded', value: 'v', createdAt: 5 })
    assert.deepEqual(await cache.get('loaded', { retry: true }), 'v')
    assert.equal(cache.local!.hits, hits + 2)
  })
})

describe('what memory keeps', () => {
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
})

describe('a process that does not look at its sockets', () => {
  test('a handler that computed for long is answered by Redis, and by memory again in the next turn', async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    await cache.save('k', 'old')
    await warm(cache, 'k')
    await nextTurn()
    const changed = write('k', stored('new'))
    await nextTurn()
    // Redis has it applied by the end of this; its word waits in a socket.
    compute(60)
    assert.deepEqual(await ask(cache, 'k'), { value: 'new', from: 'Redis' })
    await changed
    assert.equal(await warm(cache, 'k'), 'new')
  })

  test('a loop of reads that memory answers lets the event loop turn', async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    await cache.save('flag', 'wait')
    await warm(cache, 'flag')
    const timer = setTimeout(() => void write('flag', stored('go')), 20)
    t.after(() => clearTimeout(timer))
    const { hits } = cache.local!
    // As somebody writes who waits for Redis to be asked each time. It would never end if memory answered each time.
    while ((await cache.get('flag')) !== 'go');
    assert.ok(cache.local!.hits > hits)
  })
})
