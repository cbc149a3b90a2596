// The contract of calls that are made in one tick: they leave together, and nobody can tell but by the time they take.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { random } from 'fastify-ah-test-support'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

/** What a call answered, or its error's code. */
async function told(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    return (error as { code?: string }).code
  }
}

export function batchContract({ cache, redis, valueKey, lockKey }: CacheUnderTest): void {
  const other = cache.withOwner('other')

  test('[18a] 1 200 saves, renewals and reads of one tick each have their own answer', async () => {
    const stem = freshName('mass')
    const names = Array.from({ length: 400 }, (_, index) => `${stem} ${index}`)
    assert.equal(await other.lock(names[7]!), true)
    const answers = await Promise.all(
      names.map((name, index) =>
        Promise.all([
          told(cache.save(name, index, index % 2 === 0 ? 60_000 : undefined)),
          told(cache.load(name, { expireMs: 600_000 }).then(({ value }) => value)),
          told(cache.get(name)),
        ]),
      ),
    )
    for (const [index, answer] of answers.entries()) {
      const locked = 'AH_CACHE_LOCKED'
      assert.deepEqual(answer, index === 7 ? [locked, locked, locked] : [true, index, index])
    }
    assert.ok((await redis.pttl(valueKey(names[0]!))) > 500_000)
    assert.equal(await redis.exists(valueKey(names[7]!)), 0)
    await other.unlock(names[7]!)
  })

  test('[18a] one item that Redis refuses rejects alone', async () => {
    const stem = freshName('refused')
    await redis.hset(lockKey(`${stem} broken`), 'not', 'a lock')
    const outcomes = await Promise.all(
      ['a', 'broken', 'b'].map((name) => told(cache.save(`${stem} ${name}`, name, 60_000))),
    )
    assert.deepEqual(outcomes, [true, 'AH_KIT_REDIS_REFUSED', true])
    assert.equal(await cache.get(`${stem} b`), 'b')
    await redis.del(lockKey(`${stem} broken`))
  })

  test('[18a] a key that many ask for in one tick is answered to each with a value of its own', async () => {
    const key = freshName('hot')
    await cache.save(key, { list: [1] })
    const values = await Promise.all(Array.from({ length: 50 }, () => cache.get<{ list: number[] }>(key)))
    const change = () => values[0]!.list.push(2)
    if (cache.local === undefined) change()
    else assert.throws(change, TypeError, 'with the local tier nobody can change it')
    for (const value of values.slice(1)) assert.deepEqual(value, { list: [1] })
  })

  test('[18a] one tick of any calls on few keys ends as if they had been made one after the other', async () => {
    const stem = freshName('random')
    const names = ['a', 'b', 'c'].map((name) => `${stem} ${name}`)
    for (let round = 0; round < 30; round += 1) {
      await Promise.all(names.flatMap((name) => [cache.destroy(name), cache.unlock(name)]))
      const steps = Array.from({ length: 40 }, () => stepOn(names[Math.floor(random() * names.length)]!))
      const together = await Promise.all(steps.map(({ make }) => told(make())))
      await Promise.all(names.flatMap((name) => [told(cache.unlock(name)), told(other.unlock(name))]))
      await Promise.all(names.map((name) => cache.destroy(name)))
      const oneByOne: unknown[] = []
      for (const { make } of steps) oneByOne.push(await told(make()))
      await Promise.all(names.map((name) => told(other.unlock(name))))
      assert.deepEqual(together, oneByOne, steps.map(({ shows }) => shows).join('\n'))
    }
  })

  test('many values are saved and loaded in one call', async () => {
    const stem = freshName('together')
    const names = Array.from({ length: 20 }, (_, index) => `${stem} ${index}`)
    assert.equal(await cache.saveMany(names.map((name, index) => [name, { index }, { expireMs: 60_000 }])), true)
    const loaded = await cache.loadMany<{ index: number }>([...names, `${stem} missing`])
    assert.deepEqual(
      loaded.map((entry) => entry && [entry.key, entry.value]),
      [...names.map((name, index) => [name, { index }]), undefined],
    )
    assert.equal(typeof loaded[0]!.createdAt, 'number')
    assert.ok((await redis.pttl(valueKey(names[0]!))) > 50_000)
    assert.deepEqual(await cache.loadMany([]), [])
    assert.equal(await cache.saveMany([]), true)
  })

  test('one item of many that is refused or locked rejects the call, and what can be stored is', async () => {
    const stem = freshName('partly')
    await other.lock(`${stem} locked`, 60_000)
    const locked = { code: 'AH_CACHE_LOCKED' }
    const items = [[`${stem} a`, 1] as const, [`${stem} locked`, 2] as const, [`${stem} b`, 3] as const]
    await assert.rejects(cache.saveMany(items), locked)
    assert.deepEqual([await cache.get(`${stem} a`), await cache.get(`${stem} b`)], [1, 3])
    await assert.rejects(cache.loadMany([`${stem} a`, `${stem} locked`]), locked)
    await assert.rejects(
      cache.saveMany([
        [`${stem} c`, 1],
        [`${stem} d`, 1n],
      ]),
      { code: 'AH_CACHE_VALUE' },
    )
    await assert.rejects(cache.saveMany([[`${stem} c`, 1, { expireMs: 0 }]]), { code: 'AH_CACHE_DURATION' })
    await assert.rejects(cache.saveMany({} as never), { code: 'AH_CACHE_OPTIONS' })
    await assert.rejects(cache.saveMany(['k'] as never), { code: 'AH_CACHE_OPTIONS' })
    await assert.rejects(cache.loadMany([`${stem} a`, '']), { code: 'AH_CACHE_KEY' })
    assert.equal(await cache.get(`${stem} c`), undefined, 'nothing was sent of what was refused')
    await other.unlock(`${stem} locked`)
  })

  function stepOn(name: string): { make: () => Promise<unknown>; shows: string } {
    const number = Math.floor(random() * 100)
    const steps = {
      save: () => cache.save(name, number),
      tagged: () => cache.save(name, number, { tags: ['a tag'] }),
      increment: () => cache.increment(name, number),
      get: () => cache.get(name),
      load: async () => (await cache.load(name)).value,
      renew: async () => (await cache.load(name, { expireMs: 60_000 })).value,
      destroy: () => cache.destroy(name),
      push: () => cache.push(name, number),
      pop: () => cache.pop(name),
      length: () => cache.listLength(name),
      lock: () => other.lock(name),
      unlock: () => other.unlock(name),
      check: () => cache.checkLock(name),
    }
    const names = Object.keys(steps) as (keyof typeof steps)[]
    const kind = names[Math.floor(random() * names.length)]!
    return { make: steps[kind], shows: `${kind} ${name}` }
  }
}
