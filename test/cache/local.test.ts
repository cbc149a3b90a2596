// The local tier on one Redis: what memory answers, and what it does not.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type RedisServer, startRedis, until } from 'fastify-ah-test-support'
import { ask, untilHeard, warm } from './local-reads.ts'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const local = { max: 100 }

const stored = (value: unknown, more = {}) => JSON.stringify({ value, createdAt: 1, ...more })
const valueKey = (name: string) => `actionhero:cache:${name}`
const write = (name: string, value: string) => client.set(valueKey(name), value)

/** How often Redis was asked so. */
async function commandsOf(server: RedisServer, name: string): Promise<number> {
  const stats = String(await server.command('INFO', 'commandstats'))
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
}

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

describe('tags', () => {
  test('a value with tags is answered from memory until one of them is invalidated, here or elsewhere', async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    const other = await openCache({ redis: redis.url }, t)
    for (const [round, invalidate] of [
      () => cache.invalidateTags(['one']),
      () => other.invalidateTags(['two']),
      () => client.unlink('actionhero:tag:one'),
    ].entries()) {
      await cache.save('tagged', round, { tags: ['one', 'two'] })
      assert.equal(await warm(cache, 'tagged'), round)
      const sent = await commandsOf(redis, 'mget')
      for (let read = 0; read < 5; read += 1) assert.equal(await cache.get('tagged'), round)
      assert.deepEqual((await cache.load('tagged')).value, round)
      assert.equal(await cache.getOrSet('tagged', { expireMs: 60_000 }, () => 'produced'), round)
      assert.equal(await commandsOf(redis, 'mget'), sent, 'Redis was not asked')
      await invalidate()
      if (round === 0) assert.equal(await cache.get('tagged'), undefined)
      else await until(async () => (await cache.get('tagged')) === undefined)
    }
  })

  test('a tag of one namespace is not that of another', async (t) => {
    const cache = await openCache({ redis: redis.url, local }, t)
    const inside = cache.namespace('tags')
    await inside.save('k', 'inner', { tags: ['same'] })
    await cache.save('k', 'outer', { tags: ['same'] })
    assert.deepEqual([await warm(inside, 'k'), await warm(cache, 'k')], ['inner', 'outer'])
    await cache.invalidateTags(['same'])
    assert.deepEqual([await cache.get('k'), await ask(inside, 'k')], [undefined, { value: 'inner', from: 'memory' }])
    await inside.invalidateTags(['same'])
    assert.equal(await inside.get('k'), undefined)
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
