// The plugin: its options, its decorator, how others find it.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import { foundInApp } from 'fastify-ah-kit'
import defaultExport, { fastifyAhStats, options, type Stats } from 'fastify-ah-stats'
import * as pluginEntry from 'fastify-ah-stats/plugin'
import { atEnd, startRedis, type TestScope } from 'fastify-ah-test-support'
import { openApp } from './open-stats.ts'

const redis = await startRedis({}, test)

async function refusalOf(given: unknown, scope: TestScope): Promise<string> {
  const app = fastify()
  atEnd(scope, () => app.close())
  const registered = Promise.resolve(app.register(fastifyAhStats, given as never).ready())
  const error: NodeJS.ErrnoException = await registered.then(
    () => assert.fail('it was accepted'),
    (thrown) => thrown,
  )
  assert.equal(error.code, 'AH_STATS_OPTIONS')
  return error.message
}

describe('options', () => {
  test('a wrong or unknown option is one clear error', async (t) => {
    for (const [given, message] of [
      [{ writeMs: 0 }, /option "writeMs": expected a value >= 1, got 0/],
      [{ writeMs: '1s' }, /option "writeMs": expected integer, got "1s"/],
      [{ maxKeys: 0 }, /option "maxKeys": expected a value >= 1, got 0/],
      [{ collections: [] }, /option "collections": expected a list that is not empty, got a list/],
      [{ collections: 'stats' }, /option "collections": expected array, got "stats"/],
      [{ collections: ['stats', 'stats'] }, /option "collections"/],
      [{ collections: ['cache:a'] }, /option "collections.0": expected a text like .*, got "cache:a"/],
      [{ decorator: 'a-b' }, /option "decorator"/],
      [{ writeMS: 5 }, /unknown option "writeMS", did you mean "writeMs"\?/],
    ] as const) {
      assert.match(await refusalOf({ redis: redis.url, ...given }, t), message)
    }
  })

  test('[8] a prefix that is empty, or has braces, spaces or glob characters, is refused', async (t) => {
    for (const prefix of ['', 'a b', '{a}', 'a}', 'a\n', 'a*', 7]) {
      assert.match(await refusalOf({ redis: redis.url, prefix }, t), /option "prefix": expected /)
    }
  })

  test("ActionHero's names are answered with the new ones", async (t) => {
    assert.match(await refusalOf({ writeFrequency: 1 }, t), /option "writeFrequency" is now called "writeMs"/)
    assert.match(await refusalOf({ keys: ['actionhero:stats'] }, t), /option "keys" is now called "collections"/)
  })

  test('the schema is exported with its defaults', () => {
    const { redis: _, ...parsed } = options.parse({ redis: redis.url })
    assert.deepEqual(parsed, {
      embedded: false,
      prefix: 'actionhero:',
      decorator: 'stats',
      collections: ['stats'],
      writeMs: 1_000,
      maxKeys: 10_000,
    })
  })
})

describe('decorator', () => {
  test('it is there in every scope, and found by its symbol from anywhere', async (t) => {
    const app = fastify()
    atEnd(t, () => app.close())
    await app.register(fastifyAhStats, { redis: redis.url })
    let seen: Stats | undefined
    await app.register(async (scope) => {
      seen = scope.stats
    })
    assert.equal(seen, app.stats)
    assert.equal(foundInApp<ReadonlyMap<string, Stats>>(app, 'stats')?.get('stats'), app.stats)
  })

  test('[8] two stats of one app have two names, and never see each other', async (t) => {
    const app = fastify()
    atEnd(t, () => app.close())
    await app.register(fastifyAhStats, { redis: redis.url, prefix: 'one:' })
    await app.register(fastifyAhStats, { redis: redis.url, prefix: 'two:', decorator: 'others' })
    await app.ready()
    const { stats, others } = app as unknown as { stats: Stats; others: Stats }
    stats.increment('a')
    others.increment('a', 10)
    await Promise.all([stats.write(), others.write()])
    assert.deepEqual([await stats.get('a'), await others.get('a')], [1, 10])
  })

  test('a name that is taken is refused with what to do', async (t) => {
    const { url } = redis
    const app = fastify()
    atEnd(t, () => app.close())
    await app.register(fastifyAhStats, { redis: url })
    const refused = app.register(fastifyAhStats, { redis: url }).ready()
    await assert.rejects(Promise.resolve(refused), /option "decorator": "stats" is taken/)
    assert.match(await refusalOf({ redis: url, decorator: 'listen' }, t), /option "decorator": "listen" is taken/)
  })
})

test('every way to load it gives the plugin', () => {
  const require = createRequire(import.meta.url)
  assert.equal(defaultExport, fastifyAhStats)
  assert.equal(require('fastify-ah-stats'), fastifyAhStats)
  assert.equal(require('fastify-ah-stats/plugin'), fastifyAhStats)
  assert.equal(pluginEntry.default, fastifyAhStats)
})

test('increments never ask Redis: they are taken while it is stopped', async (t) => {
  const own = await startRedis({}, t)
  const { stats } = await openApp({ redis: own.url, writeMs: 3_600_000 }, t)
  own.pause()
  stats.increment('a')
  assert.equal(stats.waiting, 1)
  own.resume()
  await stats.write()
  assert.equal(await stats.get('a'), 1)
})
