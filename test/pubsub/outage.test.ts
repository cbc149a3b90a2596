// Redis goes away and comes back; it is silent; it is gone when the app ends.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lifecycleOf } from 'fastify-ah-kit'
import { redisRegistryOf } from 'fastify-ah-kit/redis'
import type { PubSub } from 'fastify-ah-pubsub'
import { scaled, startRedis, until } from 'fastify-ah-test-support'
import { openApp, openPubSub } from './open-pubsub.ts'

describe('Redis stopped and started', () => {
  test('[1] each time everything works again: channels, wildcards, calls, the list; and nothing grows', async (t) => {
    const redis = await startRedis({}, t)
    const options = { redis: redis.url, probeMs: 50, leaseMs: 900 }
    const apps = [await openApp(options, t), await openApp(options, t)] as const
    const [app] = apps
    const [pubsub, other] = apps.map((one) => one.pubsub) as [PubSub, PubSub]
    const isReady = async () =>
      (await Promise.all(apps.map((one) => lifecycleOf(one).readiness()))).every(({ ready }) => ready)
    const heard: unknown[] = []
    await pubsub.subscribe('/a', (data) => heard.push(data))
    await pubsub.subscribe('/*', (data) => heard.push(data))
    other.handle('who', () => 'other')
    const { connection } = redisRegistryOf(app).connections[0]!
    const listeners = () => connection.client.eventNames().map((name) => connection.client.listenerCount(name))
    const before = listeners()
    for (const downMs of [scaled(1_000, 50), scaled(5_000, 300), scaled(30_000, 1_500)]) {
      for (const state of ['idle', 'mid-work'] as const) {
        let isOver = false
        const working = (async () => {
          while (state === 'mid-work' && !isOver) {
            await Promise.allSettled([
              pubsub.publish('/a', 'work'),
              other.call('nobody', 1, { node: pubsub.id, timeoutMs: 100 }),
            ])
          }
        })()
        await redis.stop()
        // Time is the subject: how long Redis is away.
        await sleep(downMs)
        await redis.restart()
        isOver = true
        await until(isReady, { deadlineMs: 5_000 })
        await working
        heard.length = 0
        await other.publish('/a', 'after')
        await until(() => heard.filter((data) => data === 'after').length === 2, { deadlineMs: 5_000 })
        assert.equal(await pubsub.call('who', 1, { node: other.id }), 'other')
        assert.equal((await pubsub.nodes()).length, 2)
      }
    }
    assert.deepEqual(listeners(), before)
    assert.equal(connection.dedicatedConnections.size, 1)
    assert.ok(pubsub.stats().gaps >= 6)
    assert.equal(pubsub.stats().pendingCalls, 0)
  })

  test('[11b] away for longer than every lease, with all it knew: nobody is declared dead', async (t) => {
    const redis = await startRedis({}, t)
    // Longer than the longest pause between two tries to connect: who comes back later than that is dead.
    const leaseMs = 2_400
    const options = { redis: redis.url, leaseMs, probeMs: 50 }
    const nodes = await Promise.all([1, 2, 3].map(() => openPubSub(options, t)))
    const left: string[] = []
    for (const node of nodes) node.on('nodeLeft', ({ id }) => left.push(id))
    await until(async () => (await nodes[0]!.nodes()).length === 3)
    for (let round = 0; round < scaled(10); round += 1) {
      await redis.stop()
      // Time is the subject: away for longer than every lease.
      await sleep(leaseMs + 200)
      // It keeps nothing over a restart.
      await redis.restart()
      await until(async () => (await nodes[0]!.nodes().catch(() => [])).length === 3)
      // Time is the subject: for another lease, in which those who came back late would be missed.
      const end = performance.now() + leaseMs + 500
      while (performance.now() < end) {
        assert.equal((await nodes[1]!.nodes()).length, 3)
        // Between two looks.
        await sleep(20)
      }
    }
    assert.deepEqual(left, [])
  })
})
