// Redis is away, is silent, is gone when the app ends: what waits rejects in time.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lifecycleOf } from 'fastify-ah-kit'
import { startProxy, startRedis, until } from 'fastify-ah-test-support'
import { openApp, openPubSub } from './open-pubsub.ts'

describe('Redis away', () => {
  test('[27] publish while Redis is away rejects; what waits behind it too; nothing comes later', async (t) => {
    const redis = await startRedis({}, t)
    const pubsub = await openPubSub({ redis: redis.url, probeMs: 50 }, t)
    const heard: unknown[] = []
    await pubsub.subscribe('/a', (data) => heard.push(data))
    await redis.stop()
    const begin = performance.now()
    const attempts: Promise<unknown>[] = []
    for (let number = 0; number < 20; number += 1) {
      attempts.push(pubsub.publish('/a', number))
      // Time is the subject: they come one after the other while nothing is answered.
      await sleep(20)
    }
    const subscribed = pubsub
      .subscribe('/b', () => undefined)
      .then(
        () => 'subscribed',
        (error: NodeJS.ErrnoException) => error.code,
      )
    const outcomes = await Promise.allSettled(attempts)
    assert.ok(performance.now() - begin < 6_000, `${performance.now() - begin} ms`)
    for (const outcome of outcomes) {
      assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'AH_KIT_REDIS_DOWN')
    }
    assert.equal(await subscribed, 'AH_PUBSUB_NOT_SUBSCRIBED')
    await redis.restart()
    await until(() => pubsub.publish('/a', 'end').then(() => heard.includes('end')))
    assert.deepEqual([...new Set(heard)], ['end'])
    assert.equal(pubsub.stats().subscriptions, 4, 'the one that failed left nothing behind')
  })
})

describe('a silent Redis', () => {
  test('[2] what waits rejects within 5 s, the app is not ready, and all recovers by itself', async (t) => {
    const redis = await startRedis({}, t)
    const proxy = await startProxy({ target: redis }, t)
    const app = await openApp({ redis: proxy.url, probeMs: 100 }, t)
    const { pubsub } = app
    const heard: unknown[] = []
    await pubsub.subscribe('/a', (data) => heard.push(data))
    const kept = await pubsub.subscribe('/kept', () => undefined)
    proxy.swallow()
    const begin = performance.now()
    const outcomes = Promise.all(
      [
        pubsub.publish('/a', 1),
        pubsub.publish('/b', 1),
        pubsub.subscribe('/c', () => undefined),
        pubsub.call('x', 1, { node: pubsub.id }),
        pubsub.nodes(),
        kept.unsubscribe().then(() => Promise.reject(Object.assign(new Error('done'), { code: 'done' }))),
      ].map((attempt) =>
        Promise.resolve(attempt).then(
          () => 'fulfilled',
          (error) => [error.code, performance.now() - begin] as const,
        ),
      ),
    )
    await until(async () => !(await lifecycleOf(app).readiness()).ready)
    for (const outcome of await outcomes) {
      assert.ok(Array.isArray(outcome), String(outcome))
      const [code, ms] = outcome as [string, number]
      assert.match(code, /^(AH_KIT_REDIS_(UNCERTAIN|TIMEOUT|DOWN)|AH_PUBSUB_(NOT_SUBSCRIBED|CALL_TIMEOUT)|done)$/)
      assert.ok(ms < 5_600, `${code} after ${ms} ms`)
    }
    proxy.pass()
    await until(async () => (await lifecycleOf(app).readiness()).ready, { deadlineMs: 15_000 })
    await until(() => pubsub.publish('/a', 'after').then(() => heard.includes('after')))
    assert.equal(heard.filter((data) => data === 1).length <= 1, true, 'heard once or not at all')
  })
})

describe('the end', () => {
  for (const state of ['running', 'stopped', 'silent'] as const) {
    test(`[1] with Redis ${state} the app closes in time, with calls and publishes under way`, async (t) => {
      const redis = await startRedis({}, t)
      const proxy = await startProxy({ target: redis }, t)
      const app = await openApp({ redis: proxy.url }, t)
      app.pubsub.handle('hangs', () => new Promise(() => undefined))
      await app.pubsub.subscribe('/a', () => undefined)
      if (state === 'silent') proxy.swallow()
      if (state === 'stopped') await redis.stop()
      const open = [
        app.pubsub.publish('/a', 1),
        app.pubsub.call('hangs', 1, { node: app.pubsub.id, timeoutMs: 60_000 }),
        app.pubsub.subscribe('/b', () => undefined),
      ].map((attempt) =>
        attempt.then(
          () => 'done',
          (error: NodeJS.ErrnoException) => error.code,
        ),
      )
      const begin = performance.now()
      await app.close()
      const ms = performance.now() - begin
      // A handler that hangs for somebody who waits is waited for, as long as a drain lasts.
      assert.ok(ms < (state === 'running' ? 9_000 : 5_000), `${ms} ms`)
      for (const outcome of await Promise.all(open)) assert.match(outcome ?? 'no code', /^(done|AH_[A-Z_]+)$/)
    })
  }
})
