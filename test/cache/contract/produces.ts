// The contract of getOrSet.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from 'fastify-ah-test-support'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

export function produceContract({ cache, redis, valueKey }: CacheUnderTest): void {
  const other = cache.withOwner('other')
  const minute = { expireMs: 60_000 }

  /** A producer that counts its runs and answers their number. */
  function counting(pauseMs = 0) {
    const state = { runs: 0 }
    const produce = async () => {
      state.runs += 1
      const run = state.runs
      if (pauseMs > 0) await sleep(pauseMs)
      return { run }
    }
    return { state, produce }
  }

  test('a missing value is produced and stored, a present one is answered', async () => {
    const key = freshName('produced')
    const { state, produce } = counting()
    assert.deepEqual(await cache.getOrSet(key, minute, produce), { run: 1 })
    assert.deepEqual(await cache.getOrSet(key, minute, produce), { run: 1 })
    assert.deepEqual(await cache.get(key), { run: 1 })
    assert.equal(state.runs, 1)
    const { createdAt } = await cache.load(key)
    assert.equal(await redis.get(valueKey(key)), `{"value":{"run":1},"createdAt":${createdAt}}`)
    assert.ok((await redis.pttl(valueKey(key))) > 50_000)
    const endless = freshName('endless')
    assert.equal(await cache.getOrSet(endless, {}, () => null), null)
    assert.equal(await redis.pttl(valueKey(endless)), -1)
    assert.equal(await cache.getOrSet(endless, {}, () => assert.fail('it ran')), null)
  })

  test('[12] many callers share one run, and each gets a value of its own', async () => {
    const key = freshName('shared run')
    const { state, produce } = counting(50)
    const before = cache.stats()
    const values = await Promise.all(Array.from({ length: 100 }, () => cache.getOrSet(key, minute, produce)))
    assert.equal(state.runs, 1)
    assert.equal(new Set(values).size, 100)
    for (const value of values) assert.deepEqual(value, { run: 1 })
    const after = cache.stats()
    assert.equal(after.produced, before.produced + 1)
    assert.equal(after.waited, before.waited + 99)
  })

  test('runs of different keys are told apart, whatever keys and owners look like', async () => {
    const key = freshName('told apart')
    const both = [
      cache.withOwner('o').getOrSet(`${key} b`, minute, () => sleep(20, 'of b')),
      cache.withOwner('b o').getOrSet(key, minute, () => sleep(20, 'of none')),
    ]
    assert.deepEqual(await Promise.all(both), ['of b', 'of none'])
  })

  test('the first answer is what later ones are: it has gone through JSON', async () => {
    const key = freshName('through JSON')
    const make = () => ({ at: new Date(0), gone: undefined })
    const first: unknown = await cache.getOrSet(key, minute, make)
    assert.deepEqual(first, { at: '1970-01-01T00:00:00.000Z' })
    assert.deepEqual(await cache.getOrSet(key, minute, make), first)
  })

  test('[12] an error reaches every waiter, and the next call tries again', async () => {
    const key = freshName('failing run')
    const error = Object.assign(new Error('no such user'), { code: 'E_USER', statusCode: 404 })
    let runs = 0
    const fail = async () => {
      runs += 1
      // Work that takes a while: the others come meanwhile.
      await sleep(30)
      throw error
    }
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => cache.getOrSet(key, minute, fail)))
    assert.equal(runs, 1)
    for (const outcome of outcomes) assert.equal(outcome.status === 'rejected' && outcome.reason, error)
    assert.equal(await cache.getOrSet(key, minute, () => 'now'), 'now')
    await assert.rejects(
      cache.getOrSet(freshName('undefined'), minute, () => undefined),
      { code: 'AH_CACHE_VALUE' },
    )
  })

  test('[12] a run that hangs ends with its time, its signal says so, and the next call tries again', async () => {
    const key = freshName('hanging run')
    let signal: AbortSignal | undefined
    const hang = (its: AbortSignal) => {
      signal = its
      return new Promise<never>(() => undefined)
    }
    const timeout = { code: 'AH_CACHE_PRODUCE_TIMEOUT' }
    const waiting = [80, 80, 40].map((timeoutMs) => cache.getOrSet(key, { ...minute, timeoutMs }, hang))
    for (const one of await Promise.allSettled(waiting)) {
      assert.equal(one.status === 'rejected' && one.reason.code, timeout.code)
    }
    await until(() => signal?.aborted)
    assert.equal((signal!.reason as { code?: string }).code, timeout.code)
    assert.equal(await cache.getOrSet(key, minute, () => 'quick'), 'quick')
  })

  test('an old value is answered at once while one run refreshes it', async () => {
    const key = freshName('stale')
    const { state, produce } = counting()
    const options = { expireMs: 30, staleMs: 60_000 }
    assert.deepEqual(await cache.getOrSet(key, options, produce), { run: 1 })
    await until(async () => (await cache.get(key)) === undefined)
    assert.equal(await redis.exists(valueKey(key)), 1, 'for get it is over, for getOrSet it is there')
    const before = cache.stats()
    const values = await Promise.all(Array.from({ length: 20 }, () => cache.getOrSet(key, options, produce)))
    for (const value of values) assert.deepEqual(value, { run: 1 })
    assert.equal(cache.stats().staleServed, before.staleServed + 20)
    await until(() => cache.stats().refreshed > before.refreshed)
    assert.equal(state.runs, 2)
    assert.ok((await redis.pttl(valueKey(key))) > 50_000)
  })

  test('where a refresh fails the old value stays, and it is not tried again at once', async () => {
    const key = freshName('stale and failing')
    const options = { expireMs: 20, staleMs: 60_000 }
    await cache.getOrSet(key, options, () => 'old')
    await until(async () => (await cache.get(key)) === undefined)
    let runs = 0
    const fail = () => {
      runs += 1
      throw new Error('down')
    }
    const before = cache.stats()
    assert.equal(await cache.getOrSet(key, options, fail), 'old')
    await until(() => cache.stats().refreshed > before.refreshed)
    for (let call = 0; call < 5; call += 1) {
      assert.equal(await cache.getOrSet(key, options, fail), 'old')
      // Long enough for a refresh that would come.
      await sleep(10)
    }
    assert.equal(runs, 1)
    assert.equal(cache.stats().produceFailed, before.produceFailed + 1)
  })

  test('with staleIfErrorMs the old value is answered where the producer fails or takes too long', async () => {
    const key = freshName('stale if error')
    const options = { expireMs: 20, staleIfErrorMs: 60_000 }
    await cache.getOrSet(key, options, () => 'old')
    await until(async () => (await cache.get(key)) === undefined)
    const before = cache.stats()
    assert.equal(await cache.getOrSet(key, options, () => Promise.reject(new Error('down'))), 'old')
    const hang = () => new Promise(() => undefined)
    assert.equal(await cache.getOrSet(key, { ...options, timeoutMs: 100 }, hang), 'old')
    assert.equal(cache.stats().staleServed, before.staleServed + 2)
    assert.equal(await cache.getOrSet(key, options, () => 'new'), 'new')
    await assert.rejects(
      cache.getOrSet(freshName('nothing old'), options, () => Promise.reject(new Error('down'))),
      { message: 'down' },
    )
  })

  test('a value near its end is refreshed early, while it is answered', async () => {
    const key = freshName('early')
    const { state, produce } = counting()
    const options = { expireMs: 60_000, earlyMs: 60_000 }
    assert.deepEqual(await cache.getOrSet(key, options, produce), { run: 1 })
    await until(async () => {
      const value = await cache.getOrSet(key, options, produce)
      return value.run > 1
    })
    assert.ok(state.runs >= 2)
    const calm = freshName('not early')
    await cache.getOrSet(calm, { expireMs: 60_000, earlyMs: 1 }, produce)
    const { runs } = state
    for (let call = 0; call < 20; call += 1) await cache.getOrSet(calm, { expireMs: 60_000, earlyMs: 1 }, produce)
    assert.equal(state.runs, runs)
  })

  test('what was saved, destroyed or locked while it was produced is not overwritten by what is older', async () => {
    const key = freshName('overtaken')
    const before = cache.stats()
    const overtakenBy = (meanwhile: () => Promise<unknown>) =>
      cache.getOrSet(key, minute, async () => {
        await meanwhile()
        return 'older'
      })
    assert.equal(await overtakenBy(() => cache.save(key, 'newer')), 'older')
    assert.equal(await cache.get(key), 'newer')
    await cache.destroy(key)
    assert.equal(await overtakenBy(() => cache.destroy(key)), 'older')
    assert.equal(await cache.get(key), undefined)
    assert.equal(cache.stats().discarded, before.discarded + 2)
    await assert.rejects(
      overtakenBy(() => other.lock(key)),
      { code: 'AH_CACHE_LOCKED' },
    )
    assert.equal(await redis.exists(valueKey(key)), 0)
    await assert.rejects(
      cache.getOrSet(key, minute, () => assert.fail('it ran')),
      { code: 'AH_CACHE_LOCKED' },
    )
    const waiting = cache.getOrSet(key, { ...minute, retry: true }, () => 'after the lock')
    await other.unlock(key)
    assert.equal(await waiting, 'after the lock')
  })

  test('bytes that cannot be read are replaced', async () => {
    const key = freshName('unreadable')
    await redis.set(valueKey(key), 'no json')
    assert.equal(await cache.getOrSet(key, minute, () => 1), 1)
    assert.equal(await cache.get(key), 1)
  })

  test('jitter shortens lives at random, by no more than its share', async () => {
    const stem = freshName('jitter')
    const names = Array.from({ length: 20 }, (_, index) => `${stem} ${index}`)
    await Promise.all(names.map((name) => cache.save(name, 1, { expireMs: 1_000_000, jitter: 0.2 })))
    await Promise.all(names.map((name) => cache.getOrSet(`${name} p`, { expireMs: 1_000_000, jitter: 0.2 }, () => 1)))
    const lives = await Promise.all(
      names.flatMap((name) => [name, `${name} p`]).map((name) => redis.pttl(valueKey(name))),
    )
    assert.ok(Math.max(...lives) <= 1_000_000 && Math.min(...lives) > 790_000, lives.join())
    assert.ok(new Set(lives.map((life) => Math.round(life / 1_000))).size > 10, lives.join())
  })

  test('wrong options are refused before anything is asked', async () => {
    const key = freshName('wrong')
    const run = () => assert.fail('it ran')
    const options = { code: 'AH_CACHE_OPTIONS' }
    await assert.rejects(cache.getOrSet('', {}, run), { code: 'AH_CACHE_KEY' })
    await assert.rejects(cache.getOrSet(key, {}, undefined as never), options)
    await assert.rejects(cache.getOrSet(key, undefined as never, run), options)
    await assert.rejects(cache.getOrSet(key, { staleMs: 5 }, run), options)
    await assert.rejects(cache.getOrSet(key, { ttl: 5 } as never, run), options)
    await assert.rejects(cache.getOrSet(key, { tags: 'a' as never }, run), options)
    await assert.rejects(cache.getOrSet(key, { tags: [''] }, run), { code: 'AH_CACHE_KEY' })
    for (const jitter of [-0.1, 1.1, '1', Number.NaN] as number[]) {
      await assert.rejects(cache.getOrSet(key, { ...minute, jitter }, run), options)
      await assert.rejects(cache.save(key, 1, { jitter }), options)
    }
    for (const ms of [0, -1, 1.5, '1'] as number[]) {
      for (const name of ['expireMs', 'staleMs', 'staleIfErrorMs', 'earlyMs', 'timeoutMs']) {
        await assert.rejects(cache.getOrSet(key, { ...minute, [name]: ms }, run), { code: 'AH_CACHE_DURATION' })
      }
    }
    assert.equal(await redis.exists(valueKey(key)), 0)
  })
}
