// Redis away, silent, or without an answer: every count is in it once in the end, and nobody who counts hears of it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lifecycleOf } from 'fastify-ah-kit'
import { redisRegistryOf } from 'fastify-ah-kit/redis'
import type { Stats } from 'fastify-ah-stats'
import { scaled, startProxy, startRedis, until } from 'fastify-ah-test-support'
import { openApp, openStats } from './open-stats.ts'
import { total } from './total.ts'

/** FAULTS 1: all works again within 5 s of Redis being ready. */
const backMs = 5_000

/** Counts all the time, until it is told to stop; answers how often. */
function counting(stats: Stats): () => number {
  let counted = 0
  const timer = setInterval(() => {
    stats.increment(`key ${counted % 50}`)
    counted += 1
  }, 1)
  return () => {
    clearInterval(timer)
    return counted
  }
}

describe('outages', { concurrency: true }, () => {
  test('[1] Redis stopped and started, idle and mid-work: every count is there once, told in one line and one more', async (t) => {
    const redis = await startRedis({ appendfsyncAlways: true }, t)
    const { app, stats, lines } = await openApp({ redis: redis.url, writeMs: 5 }, t)
    const [used] = redisRegistryOf(app).connections
    const { client } = used!.connection
    const listeners = () => client.eventNames().map((name) => [name, client.listenerCount(name)])
    const before = listeners()
    let counted = 0
    for (const [index, ms] of [1_000, 5_000, 30_000].entries()) {
      const stop = index % 2 === 0 ? counting(stats) : () => 0
      await redis.stop()
      stats.increment('while away')
      counted += 1
      await until(async () => !(await lifecycleOf(app).readiness()).ready)
      // How long it lasts is the subject.
      await sleep(scaled(ms))
      assert.ok(stats.waiting > 0)
      await redis.restart()
      await until(() => used!.connection.isAnswering().then((answer) => answer === true), { deadlineMs: backMs })
      counted += stop()
      await until(() => stats.waiting === 0, { deadlineMs: backMs, what: 'all is written' })
      assert.equal(await total(stats), counted)
    }
    assert.deepEqual(listeners(), before)
    assert.equal(stats.lost, 0)
    const told = lines.filter(({ msg }) => String(msg).includes('counts'))
    for (const [first, second] of pairs(told)) {
      assert.match(String(first?.['msg']), /could not be written; they are kept/)
      assert.match(String(second?.['msg']), /written to Redis again/)
    }
  })

  test('[2] a black hole: a write rejects within 5 s, what it held is written once when it is over', async (t) => {
    const redis = await startRedis({}, t)
    const proxy = await startProxy({ target: redis }, t)
    const { app, stats } = await openApp({ redis: proxy.url, writeMs: 5 }, t)
    stats.increment('a')
    await stats.write()
    proxy.swallow()
    for (let count = 0; count < 100; count += 1) stats.increment('a')
    const started = performance.now()
    await assert.rejects(stats.write(), { code: 'AH_KIT_REDIS_UNCERTAIN' })
    // The write in hand, and the one after it that was asked for.
    assert.ok(performance.now() - started < 11_000)
    assert.equal((await lifecycleOf(app).readiness()).ready, false)
    stats.increment('a')
    proxy.pass()
    await until(() => stats.waiting === 0, { deadlineMs: backMs + 5_000 })
    assert.equal(await stats.get('a'), 102)
  })

  test('[2] [11a] a batch that Redis applied and never answered is not added again, however late it is asked', async (t) => {
    const redis = await startRedis({}, t)
    const proxy = await startProxy({ target: redis }, t)
    const { stats } = await openApp({ redis: proxy.url, writeMs: 3_600_000 }, t)
    stats.increment('warm')
    await stats.write()
    const held = proxy.holdAnswer(([name]) => /^eval/i.test(name ?? ''))
    stats.increment('a', 7)
    const uncertain = assert.rejects(stats.write(), { code: 'AH_KIT_REDIS_UNCERTAIN' })
    await until(async () => (await redis.client().hget('actionhero:stats', 'a')) === '7')
    await uncertain
    assert.equal(stats.waiting, 1, 'in doubt')
    stats.increment('a', 1)
    stats.increment('b', 1)
    const release = await held
    release()
    await stats.write()
    assert.deepEqual(await redis.client().hgetall('actionhero:stats'), { warm: '1', a: '8', b: '1' })
    assert.equal(stats.waiting, 0)
  })

  test('[3] connections killed again and again under load: nothing is lost or added twice', async (t) => {
    const redis = await startRedis({}, t)
    const apps = await Promise.all(
      [1, 2, 3].map(() => openApp({ redis: redis.url, writeMs: 2, collections: ['stats', 'stats:too'] }, t)),
    )
    const stops = apps.map(({ stats }) => counting(stats))
    for (let kill = 0; kill < scaled(30, 5); kill += 1) {
      const before = await total(apps[0]!.stats)
      await redis.command('CLIENT', 'KILL', 'TYPE', 'normal')
      await until(async () => (await total(apps[0]!.stats)) > before + 50)
    }
    const counted = stops.reduce((sum, stop) => sum + stop(), 0)
    await until(() => apps.every(({ stats }) => stats.waiting === 0))
    for (const collection of ['stats', 'stats:too']) assert.equal(await total(apps[0]!.stats, collection), counted)
  })
})

describe('[11a] an answer that is cut off after Redis applied the command', () => {
  test('each count is added once', async (t) => {
    const redis = await startRedis({}, t)
    const proxy = await startProxy({ target: redis }, t)
    const stats = await openStats({ redis: proxy.url }, t)
    stats.increment('a')
    await stats.write()
    for (let round = 1; round <= 5; round += 1) {
      const isCut = proxy.cutAnswers({ after: (_, [name]) => /^eval/i.test(name ?? '') })
      for (let key = 0; key < 1_100; key += 1) stats.increment(`key ${key}`)
      stats.increment('a')
      await stats.write()
      assert.equal(await isCut, 1)
      assert.equal(await stats.get('a'), 1 + round)
      assert.equal(await total(stats), 1 + round * 1_101)
    }
  })
})

function pairs<T>(list: readonly T[]): (readonly [T | undefined, T | undefined])[] {
  return Array.from(
    { length: Math.ceil(list.length / 2) },
    (_, index) => [list[index * 2], list[index * 2 + 1]] as const,
  )
}
