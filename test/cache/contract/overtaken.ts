// The contract of getOrSet where something happens to the key, or to a caller's time, while the value is on its way.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'fastify-ah-test-support'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

/** A promise, and how to fulfil it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

export function overtakenContract({ cache, redis, valueKey }: CacheUnderTest): void {
  // Owners share no runs in a process: each is to the other as another process is.
  const other = cache.withOwner('other')
  const minute = { expireMs: 60_000 }
  const produceKey = (key: string) => valueKey(key).replace('cache:', 'produce:')

  const removals: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
    destroy: (key) => other.destroy(key),
    clear: (key) => other.clear(key),
    invalidateTags: (key) => other.invalidateTags([key]),
  }
  for (const [name, remove] of Object.entries(removals)) {
    test(`[12] who asks after ${name} gets nothing that was read before, although a run is under way`, async () => {
      const key = freshName(`overtaken by ${name}`)
      const options = { ...minute, tags: [key] }
      const [begun, changed] = [gate(), gate()]
      let source = 'old'
      const first = cache.getOrSet(key, options, async () => {
        const read = source
        begun.open()
        await changed.opened
        return read
      })
      await begun.opened
      source = 'new'
      await remove(key)
      const later = Array.from({ length: 20 }, () => cache.getOrSet(key, options, () => source))
      // Behind their reads: now they have joined the run.
      await cache.get(key)
      const { waited } = cache.stats()
      changed.open()
      assert.equal(await first, 'old', 'who asked before gets what was true then')
      assert.deepEqual(new Set(await Promise.all(later)), new Set(['new']))
      assert.equal(cache.stats().waited, waited + 20)
      assert.deepEqual([await cache.get(key), await other.get(key)], ['new', 'new'])
    })
  }

  test('what was saved while it was produced is what those get who ask after that', async () => {
    const key = freshName('overtaken by a save')
    const [begun, saved] = [gate(), gate()]
    const first = cache.getOrSet(key, minute, async () => {
      begun.open()
      await saved.opened
      return 'older'
    })
    await begun.opened
    const joined = cache.getOrSet(key, minute, () => assert.fail('it ran'))
    await cache.get(key)
    await other.save(key, 'newer')
    saved.open()
    assert.deepEqual([await first, await joined, await cache.get(key)], ['older', 'newer', 'newer'])
  })

  test('clear has no run under way store anything, and spares those of other keys', async () => {
    const [key, spared] = [freshName('a cleared'), freshName('b spared')]
    const before = cache.stats()
    const clearing = async () => {
      await cache.clear('a cleared')
      return 1
    }
    assert.equal(await cache.getOrSet(key, minute, clearing), 1)
    assert.equal(await cache.getOrSet(spared, minute, clearing), 1)
    assert.deepEqual([await cache.get(key), await cache.get(spared)], [undefined, 1])
    assert.equal(cache.stats().discarded, before.discarded + 1)
  })

  test('a refresh that takes longer than the old value lives is stored; one whose value was removed is not', async () => {
    const key = freshName('outlived')
    const ofOld = { expireMs: 20, staleMs: 200 }
    await cache.getOrSet(key, ofOld, () => 'old')
    await until(async () => (await cache.get(key)) === undefined)
    const isGone = async () => (await redis.exists(valueKey(key))) === 0
    const refresh = async () => {
      await until(isGone)
      return 'new'
    }
    const before = cache.stats()
    assert.equal(await cache.getOrSet(key, { ...minute, staleMs: 200 }, refresh), 'old')
    await until(() => cache.stats().refreshed > before.refreshed)
    assert.deepEqual([await cache.get(key), cache.stats().discarded], ['new', before.discarded])

    await cache.getOrSet(`${key} too`, { expireMs: 20, staleMs: 60_000 }, () => 'old')
    await until(async () => (await cache.get(`${key} too`)) === undefined)
    const removeAndRefresh = async () => {
      await redis.del(valueKey(`${key} too`))
      return 'new'
    }
    await cache.getOrSet(`${key} too`, { expireMs: 20, staleMs: 60_000 }, removeAndRefresh)
    await until(() => cache.stats().discarded > before.discarded)
    assert.equal(await redis.exists(valueKey(`${key} too`)), 0)
  })

  test('[12] an error that cannot be shown ends the run like any other', async () => {
    const key = freshName('hostile')
    const hostile = [
      Object.defineProperty(new Error(), 'message', {
        get() {
          throw new Error('no')
        },
      }),
      Object.assign(new Error(), { name: Object.create(null) }),
      Object.create(null),
      undefined,
    ]
    for (const thrown of hostile) {
      const failed = cache.getOrSet(key, minute, () => Promise.reject(thrown))
      await assert.rejects(failed, (error) => error === thrown)
      assert.doesNotMatch((await redis.get(produceKey(key))) ?? '', /^run/)
    }
    assert.equal(await other.getOrSet(key, { ...minute, timeoutMs: 500 }, () => 'made'), 'made')
  })

  test("[12] each waits for another's run as long as it said, whoever else of its process waits too", async () => {
    const key = freshName('patience')
    const [begun, done] = [gate(), gate()]
    const run = other.getOrSet(key, minute, async () => {
      begun.open()
      await done.opened
      return 'late'
    })
    await begun.opened
    const fail = () => assert.fail('it ran')
    const hasty = assert.rejects(cache.getOrSet(key, { ...minute, timeoutMs: 50 }, fail), {
      code: 'AH_CACHE_PRODUCE_TIMEOUT',
    })
    const patient = cache.getOrSet(key, { ...minute, timeoutMs: 30_000 }, fail)
    await hasty
    done.open()
    assert.deepEqual([await run, await patient], ['late', 'late'])
  })

  test('[12] who still has time when a dead producer is replaced runs its own, with its own time', async () => {
    const key = freshName('inherited')
    await redis.set(produceKey(key), 'run of-a-dead-process:1 - -', 'PX', 400)
    const hasty = assert.rejects(
      cache.getOrSet(key, { ...minute, timeoutMs: 50 }, () => assert.fail('its time was over')),
      { code: 'AH_CACHE_PRODUCE_TIMEOUT' },
    )
    const patient = cache.getOrSet(key, { ...minute, timeoutMs: 30_000 }, (signal) => !signal.aborted)
    await hasty
    assert.equal(await patient, true)
  })
}
