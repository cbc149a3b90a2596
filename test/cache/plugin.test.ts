// The plugin: its options, its decorator, how others find it, and what it says at boot.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import defaultExport, { type Cache, fastifyAhCache, options } from 'fastify-ah-cache'
import * as pluginEntry from 'fastify-ah-cache/plugin'
import { foundInApp, identity } from 'fastify-ah-kit'
import { atEnd, startRedis, type TestScope } from 'fastify-ah-test-support'
import { openApp } from './open-cache.ts'

const redis = await startRedis({}, test)

async function refusalOf(given: unknown, scope: TestScope): Promise<string> {
  const app = fastify()
  atEnd(scope, () => app.close())
  const registered = app.register(fastifyAhCache, given as never).ready()
  const error: NodeJS.ErrnoException = await Promise.resolve(registered).then(
    () => assert.fail('it was accepted'),
    (thrown) => thrown,
  )
  assert.equal(error.code, 'AH_CACHE_OPTIONS')
  return error.message
}

describe('options', () => {
  test('a wrong or unknown option is one clear error', async (t) => {
    const { url } = redis
    for (const [given, message] of [
      [{ lockMs: 0 }, /option "lockMs": expected a value >= 1, got 0/],
      [{ lockMs: 1.5 }, /option "lockMs": expected integer, got 1.5/],
      [{ lockMs: '10s' }, /option "lockMs": expected integer, got "10s"/],
      [{ lockRetryMs: -1 }, /option "lockRetryMs"/],
      [{ owner: '' }, /option "owner": expected a text that is not empty, got ""/],
      [{ decorator: 'a-b' }, /option "decorator"/],
      [{ embedded: 'yes' }, /option "embedded": expected boolean, got "yes"/],
      [{ redis: 7 }, /option "redis": expected an ioredis client.*, got 7/],
      [{ lockMS: 5 }, /unknown option "lockMS", did you mean "lockMs"\?/],
      [{ ttl: 5 }, /unknown option "ttl"; there are: redis, /],
    ] as const) {
      assert.match(await refusalOf({ redis: url, ...given }, t), message)
    }
  })

  test('[8] a prefix that is empty, or has braces, spaces or glob characters, is refused', async (t) => {
    for (const prefix of ['', 'a b', '{a}', 'a}', 'a\n', 'a*', 7]) {
      assert.match(await refusalOf({ redis: redis.url, prefix }, t), /option "prefix": expected /)
    }
  })

  test("ActionHero's names are answered with the new ones", async (t) => {
    assert.match(await refusalOf({ lockDuration: 1 }, t), /option "lockDuration" is now called "lockMs"/)
    assert.match(await refusalOf({ lockRetry: 1 }, t), /option "lockRetry" is now called "lockRetryMs"/)
    assert.match(await refusalOf({ lockName: 'a' }, t), /option "lockName" is now called "owner"/)
    assert.match(await refusalOf({ cachePrefix: 'a' }, t), /option "cachePrefix" is gone: .*"prefix"/)
    assert.match(await refusalOf({ scanCount: 1 }, t), /option "scanCount" is gone/)
  })

  test('the schema is exported with its defaults', () => {
    const { redis: _, ...parsed } = options.parse({ redis: redis.url })
    assert.deepEqual(parsed, {
      embedded: false,
      prefix: 'actionhero:',
      decorator: 'cache',
      lockMs: 10_000,
      lockRetryMs: 100,
      produceLeaseMs: 3_000,
    })
  })

  test('lockMs and lockRetryMs are used', async (t) => {
    const { cache } = await openApp({ redis: redis.url, prefix: 'durations:', lockMs: 200, lockRetryMs: 5 }, t)
    assert.equal(await cache.lock('k'), true)
    assert.ok((await redis.client().pttl('durations:lock:k')) <= 200)
    // True waits lockMs: as long as the lock lasts, so it ends in time or a moment too late.
    await cache.withOwner('other').checkLock('k', { retry: true })
    assert.equal(await cache.withOwner('other').checkLock('k', { retry: 5_000 }), true)
  })

  test('the owner is the option, else this start of this process', async (t) => {
    const given = await openApp({ redis: redis.url, owner: 'web-1' }, t)
    assert.equal(given.cache.owner, 'web-1')
    const other = await openApp({ redis: redis.url }, t)
    assert.equal(other.cache.owner, `${identity().title}:${identity().bootId}`)
  })
})

describe('decorator', () => {
  test('it is there in every scope, and found by its symbol from anywhere', async (t) => {
    const app = await openApp({ redis: redis.url }, t)
    const caches = foundInApp<ReadonlyMap<string, Cache>>(app, 'cache')
    assert.equal(caches?.get('cache'), app.cache)
    const nested = fastify()
    atEnd(t, () => nested.close())
    await nested.register(fastifyAhCache, { redis: redis.url })
    let seen: Cache | undefined
    await nested.register(async (scope) => {
      seen = scope.cache
    })
    assert.equal(seen, nested.cache)
  })

  test('two caches of one app have two names, and never see each other', async (t) => {
    const app = fastify()
    atEnd(t, () => app.close())
    await app.register(fastifyAhCache, { redis: redis.url, prefix: 'one:' })
    await app.register(fastifyAhCache, { redis: redis.url, prefix: 'two:', decorator: 'sessions' })
    await app.ready()
    const { cache, sessions } = app as unknown as { cache: Cache; sessions: Cache }
    await Promise.all([cache.save('k', 1), cache.push('l', 1), sessions.push('l', 2)])
    assert.equal(await sessions.get('k'), undefined)
    assert.deepEqual([await cache.pop('l'), await sessions.pop('l')], [1, 2])
    assert.deepEqual([...foundInApp<ReadonlyMap<string, Cache>>(app, 'cache')!.keys()], ['cache', 'sessions'])
  })

  test('a name that is taken is refused with what to do', async (t) => {
    const app = fastify()
    atEnd(t, () => app.close())
    app.decorate('cache' as string, 'of another plugin')
    const refused = app.register(fastifyAhCache, { redis: redis.url }).ready()
    await assert.rejects(Promise.resolve(refused), /option "decorator": "cache" is taken/)
  })
})

describe('exports', () => {
  test('every way to load it gives the plugin', () => {
    const require = createRequire(import.meta.url)
    assert.equal(defaultExport, fastifyAhCache)
    assert.equal(require('fastify-ah-cache'), fastifyAhCache)
    assert.equal(require('fastify-ah-cache/plugin'), fastifyAhCache)
    assert.equal(pluginEntry.fastifyAhCache, fastifyAhCache)
    assert.equal(pluginEntry.default, fastifyAhCache)
  })
})

describe('boot', () => {
  test('[10] a maxmemory-policy that evicts is warned of, noeviction is not', async (t) => {
    const warningsWith = async (url: string) => {
      const lines: string[] = []
      const app = fastify({ logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } } })
      atEnd(t, () => app.close())
      await app.register(fastifyAhCache, { redis: url }).ready()
      await app.close()
      return lines.filter((line) => line.includes('maxmemory-policy'))
    }
    assert.deepEqual(await warningsWith(redis.url), [])
    for (const policy of ['allkeys-lru', 'volatile-ttl']) {
      await redis.command('CONFIG', 'SET', 'maxmemory-policy', policy)
      const [line] = await warningsWith(redis.url)
      assert.equal(JSON.parse(line!).policy, policy)
    }
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
  })

  test('[17] what is refused is refused before Redis is asked', async (t) => {
    const own = await startRedis({}, t)
    const { cache } = await openApp({ redis: own.url }, t)
    // A stopped process takes what is sent and answers nothing: a call that went there would end as uncertain.
    own.pause()
    await assert.rejects(cache.save('k', 1n), { code: 'AH_CACHE_VALUE' })
    await assert.rejects(cache.save('', 1), { code: 'AH_CACHE_KEY' })
    await assert.rejects(cache.save('k', 1, Number.NaN), { code: 'AH_CACHE_DURATION' })
    await assert.rejects(cache.push('k', undefined), { code: 'AH_CACHE_VALUE' })
    own.resume()
    assert.equal(await own.command('DBSIZE'), 0)
  })
})
