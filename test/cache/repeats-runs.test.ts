// Answers that are lost on their way, of counters, of work under locks, of produced values and of many calls in a tick.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from 'fastify-ah-test-support'
import { cut, describeBothClients, type Prepare } from './cut-call.ts'

const redis = await startRedis({}, test)
const client = redis.client()

describeBothClients(redis, repeatTests)

function repeatTests(prepare: Prepare): void {
  const script = /^eval/i

  test('[11a] increment counts once, alone and in a batch', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    assert.equal(await cut(subject, script, () => cache.increment('k', 5)), 5)
    assert.equal(await cache.increment('k'), 6)
    const sums = await cut(subject, script, () => Promise.all([cache.increment('k', 10), cache.increment('k', 20)]))
    assert.deepEqual(sums, [16, 36])
    assert.equal(await cache.get('k'), 36)
  })

  test('[11a] what is asked behind a save counts behind it, also where the answers to both are lost', async (t) => {
    const subject = await prepare(t)
    const { cache, proxy } = subject
    const behind = {
      increment: { of: () => cache.increment('k'), answer: 8, left: '8' },
      destroy: { of: () => cache.destroy('k'), answer: true, left: undefined },
    }
    const saves = {
      save: () => cache.save('k', 7),
      'a save with a token': () => cache.save('k', 7, { fencingToken: 1 }),
      'a save with a tag': () => cache.save('k', 7, { tags: ['t'] }),
    }
    for (const [verb, { of, answer, left }] of Object.entries(behind)) {
      for (const [save, saving] of Object.entries(saves)) {
        await client.flushdb()
        await cache.save('k', 41)
        // All that comes behind the first answer is lost with it.
        const held = proxy.holdAnswer(
          ([name, ...words]) => script.test(name ?? '') && words.includes('actionhero:cache:k'),
        )
        const both = Promise.all([saving(), of()])
        await held
        // Until Redis had time to do what was not to be sent yet.
        await client.ping()
        await sleep(20)
        proxy.cut()
        assert.deepEqual(await both, [true, answer], `${verb} behind ${save}`)
        const bytes = await client.get('actionhero:cache:k')
        assert.equal(bytes?.match(/"value":(\d+)/)?.[1], left, `${verb} behind ${save}`)
      }
    }
  })

  test('[11a] withLock gets its lock and its token, whichever answer is lost', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    const token = await cut(subject, script, () => cache.withLock('k', { ms: 60_000 }, (_, given) => given))
    assert.equal(String(token), await client.get('actionhero:fence:k'))
    assert.equal(await client.exists('actionhero:lock:k'), 0)
    const next = await cache.withLock('k', { ms: 60_000 }, async (_, given) => given)
    assert.ok(next > token)
    const work = cache.withLock('k', { ms: 60_000 }, () => cut(subject, script, () => cache.save('k', 1)))
    assert.equal(await work, true)
    assert.equal(await client.exists('actionhero:lock:k'), 0)
  })

  test('[11a] getOrSet produces once and stores, whichever answer is lost', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    let runs = 0
    const produce = () => {
      runs += 1
      return runs
    }
    assert.equal(await cut(subject, script, () => cache.getOrSet('k', { expireMs: 60_000 }, produce)), 1)
    let isCut: Promise<number> | undefined
    const storing = cache.getOrSet('l', { expireMs: 60_000 }, () => {
      // The next script is the one that stores.
      isCut = subject.proxy.cutAnswers({ after: (_, [name]) => script.test(name ?? '') })
      return produce()
    })
    assert.equal(await storing, 2)
    assert.equal(await isCut, 1)
    assert.deepEqual([await cache.get('k'), await cache.get('l')], [1, 2])
    assert.equal(await client.exists('actionhero:produce:k', 'actionhero:produce:l'), 0)
    await cut(subject, script, () => cache.invalidateTags(['a']))
  })

  test('[11a] saves of one tick are all there, and reads of one tick all answered', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    const names = Array.from({ length: 50 }, (_, index) => `k ${index}`)
    await cut(subject, script, () => Promise.all(names.map((name, index) => cache.save(name, index, 60_000))))
    const values = await cut(subject, script, () => Promise.all(names.map((name) => cache.get(name))))
    assert.deepEqual(
      values,
      names.map((_, index) => index),
    )
    assert.ok((await client.pttl('actionhero:cache:k 7')) > 50_000)
  })
}
