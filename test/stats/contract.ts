// Owns what stats do, wherever they are kept.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Stats, StatsOptions } from 'fastify-ah-stats'
import type { TestScope } from 'fastify-ah-test-support'

/** Opens stats on the Redis in question; they write only when told to, unless `writeMs` is given. */
export type OpenStats = (options: StatsOptions, scope: TestScope) => Promise<Stats>

const odd = ['__proto__', 'constructor', 'a b\n\0', '*?[]{}', '}x{', 'émoji 🎉', '0', 'x'.repeat(1024)]

export function statsContract(name: string, open: OpenStats): void {
  let prefixes = 0
  const openFresh = (scope: TestScope, options: StatsOptions = {}) => {
    prefixes += 1
    return open({ prefix: `contract-${prefixes}:`, ...options }, scope)
  }

  describe(`stats on ${name}`, () => {
    test('increments are there once they are written, and not before', async (t) => {
      const stats = await openFresh(t)
      stats.increment('visits')
      stats.increment('visits', 4)
      stats.increment('balance', -3)
      stats.increment('began', 0)
      assert.equal(stats.waiting, 3)
      assert.equal(await stats.get('visits'), 0)
      await stats.write()
      assert.equal(stats.waiting, 0)
      assert.equal(await stats.get('visits'), 5)
      assert.equal(await stats.get('never'), 0)
      assert.deepEqual({ ...(await stats.getAll())['stats'] }, { visits: 5, balance: -3, began: 0 })
    })

    test('what several processes count is added up', async (t) => {
      const first = await openFresh(t)
      const prefix = `contract-${prefixes}:`
      const second = await openFresh(t, { prefix })
      for (let round = 0; round < 3; round += 1) {
        first.increment('a')
        second.increment('a', 10)
        await Promise.all([first.write(), second.write()])
      }
      assert.equal(await first.get('a'), 33)
      assert.equal(await second.get('a'), 33)
    })

    test('they are written by themselves, each writeMs', async (t) => {
      const stats = await openFresh(t, { writeMs: 5 })
      for (let round = 1; round <= 3; round += 1) {
        stats.increment('a')
        while ((await stats.get('a')) < round) await stats.get('a')
      }
      assert.equal(await stats.get('a'), 3)
    })

    test('each count is added to all collections, and others can be read', async (t) => {
      const stats = await openFresh(t, { collections: ['stats', 'stats:web-1'] })
      const other = await openFresh(t, { prefix: `contract-${prefixes}:`, collections: ['stats', 'stats:web-2'] })
      stats.increment('a', 2)
      other.increment('a', 5)
      await Promise.all([stats.write(), other.write()])
      assert.deepEqual(plain(await stats.getAll()), { stats: { a: 7 }, 'stats:web-1': { a: 2 } })
      assert.deepEqual(plain(await stats.getAll(['stats:web-2', 'stats:none'])), {
        'stats:web-2': { a: 5 },
        'stats:none': {},
      })
      assert.equal(await stats.get('a'), 7)
      assert.equal(await stats.get('a', 'stats:web-1'), 2)
      assert.deepEqual(await stats.getAll([]), {})
    })

    test('any text is a key, character by character', async (t) => {
      const stats = await openFresh(t)
      for (const [index, key] of odd.entries()) stats.increment(key, index + 1)
      await stats.write()
      for (const [index, key] of odd.entries()) assert.equal(await stats.get(key), index + 1, key)
      const all = (await stats.getAll())['stats']!
      assert.deepEqual(new Map(Object.entries(all)), new Map(odd.map((key, index) => [key, index + 1])))
      assert.equal(Object.getPrototypeOf(all), null)
    })

    test('more keys than fit in one command are written and read', async (t) => {
      const stats = await openFresh(t)
      for (let round = 0; round < 2; round += 1) {
        for (let key = 0; key < 1_234; key += 1) stats.increment(`key ${key}`, key)
        await stats.write()
      }
      const all = (await stats.getAll())['stats']!
      assert.equal(Object.keys(all).length, 1_234)
      for (let key = 0; key < 1_234; key += 1) assert.equal(all[`key ${key}`], key * 2)
    })

    test('sums are exact up to 2^53 - 1; what would go beyond is given up and told, the rest is written', async (t) => {
      const stats = await openFresh(t)
      const most = Number.MAX_SAFE_INTEGER
      stats.increment('up', most)
      stats.increment('down', -most)
      await stats.write()
      for (const [key, amount] of [
        ['up', 1],
        ['down', -1],
        ['other', 1],
      ] as const)
        stats.increment(key, amount)
      await stats.write()
      assert.deepEqual(plain(await stats.getAll()), { stats: { up: most, down: -most, other: 1 } })
      assert.equal(stats.lost, 2)
      stats.increment('up', -1)
      await stats.write()
      assert.equal(await stats.get('up'), most - 1)
      stats.increment('waits', most)
      stats.increment('waits', 1)
      assert.equal(stats.lost, 3, 'the sum in memory too')
      await stats.write()
      assert.equal(await stats.get('waits'), most)
    })

    test('what is no amount or no key is refused, and nothing is counted', async (t) => {
      const stats = await openFresh(t)
      for (const amount of [Number.NaN, 0.5, Number.POSITIVE_INFINITY, 2 ** 53, '1', null, 1n, {}, () => 1]) {
        assert.throws(() => stats.increment('a', amount as number), { code: 'AH_STATS_AMOUNT' })
      }
      for (const key of ['', 'x'.repeat(1025), 'half \ud800', 7, undefined, null, ['a'], Symbol('a')]) {
        assert.throws(() => stats.increment(key as string), { code: 'AH_STATS_KEY' })
        await assert.rejects(stats.get(key as string), { code: 'AH_STATS_KEY' })
      }
      for (const collection of ['', 'cache:a', 'stats:', 'stats:a b', 'stats:{a}', 'Stats', 7, null]) {
        await assert.rejects(stats.get('a', collection as string), { code: 'AH_STATS_COLLECTION' })
        await assert.rejects(stats.getAll([collection as string]), { code: 'AH_STATS_COLLECTION' })
      }
      assert.equal(stats.waiting, 0)
    })

    test('a write answers for all that was counted before it, also while one is under way', async (t) => {
      const stats = await openFresh(t)
      const writes: Promise<void>[] = []
      for (let count = 1; count <= 50; count += 1) {
        stats.increment('a')
        const write = stats.write()
        writes.push(write.then(async () => assert.ok((await stats.get('a')) >= count)))
        if (count % 10 === 0) await write
      }
      await Promise.all(writes)
      assert.equal(await stats.get('a'), 50)
    })
  })
}

function plain(all: Record<string, Record<string, number>>): unknown {
  return JSON.parse(JSON.stringify(all))
}
