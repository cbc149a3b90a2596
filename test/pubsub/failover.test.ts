// Sentinel and Redis Cluster lose their masters, and slots move.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import calculateSlot from 'cluster-key-slot'
import type { FastifyInstance } from 'fastify'
import { lifecycleOf } from 'fastify-ah-kit'
import type { Gap } from 'fastify-ah-pubsub'
import { startRedisCluster, startSentinel, type TestScope, until } from 'fastify-ah-test-support'
import { openApp } from './open-pubsub.ts'

type Redis = NonNullable<Parameters<typeof openApp>[0]['redis']>

/** Two apps, one of which is subscribed to some channels and notes what it hears and misses. */
async function pair(redis: Redis, t: TestScope, sharded = false) {
  const options = { redis, probeMs: 100, sharded }
  const [publisher, subscriber] = [await openApp(options, t), await openApp(options, t)]
  const heard: unknown[] = []
  const gaps: Gap[] = []
  subscriber.pubsub.onGap((gap) => gaps.push(gap))
  const channels = Array.from({ length: 12 }, (_, index) => `/channel/${index}`)
  for (const channel of channels) await subscriber.pubsub.subscribe(channel, (data) => heard.push(data))
  if (!sharded) await subscriber.pubsub.subscribe('/channel/*', (data) => heard.push(data))
  await Promise.all([publisher, subscriber].map(ready))
  return { publisher, subscriber, heard, gaps, channels, copies: sharded ? 1 : 2 }
}

const ready = (app: FastifyInstance) =>
  until(async () => (await lifecycleOf(app).readiness()).ready, { deadlineMs: 20_000, what: 'the app is ready' })

/** Each channel is heard again, by its handler and by that of the wildcard, once each. */
async function hearsAll({
  publisher,
  subscriber,
  heard,
  channels,
  copies,
}: Awaited<ReturnType<typeof pair>>): Promise<void> {
  await Promise.all([publisher, subscriber].map(ready))
  heard.length = 0
  for (const channel of channels) {
    await until(() => publisher.pubsub.publish(channel, channel).then(() => true), { deadlineMs: 15_000 })
  }
  // Numbers are what was under way before.
  const texts = () => heard.filter((data) => typeof data === 'string').sort()
  await until(() => texts().length >= channels.length * copies, { deadlineMs: 10_000, what: 'all is heard' })
  const expected = channels.flatMap((channel) => Array.from({ length: copies }, () => channel))
  assert.deepEqual(texts(), expected.sort())
}

describe('Sentinel', () => {
  test('[4] the master is killed, frozen, demoted: subscriptions are rebuilt at the new one, the gap is told', async (t) => {
    const sentinel = await startSentinel({}, t)
    const { sentinels, name } = sentinel
    const ends = await pair({ sentinels, name }, t)
    const missed = () => new Set(ends.gaps.flatMap(({ channels }) => channels))
    for (const harm of ['demoteMaster', 'killMaster'] as const) {
      ends.gaps.length = 0
      const old = await sentinel[harm]()
      await until(async () => (await sentinel.master()) !== old, { deadlineMs: 20_000 })
      await until(() => ends.channels.every((channel) => missed().has(channel)), { deadlineMs: 20_000 })
      await hearsAll(ends)
      if (harm === 'killMaster') await old.restart()
    }
  })
})

describe('Redis Cluster', () => {
  for (const sharded of [false, true]) {
    test(`[5] a slot moves under load${sharded ? ', sharded' : ''}: told as a gap, and all is heard again in one order`, async (t) => {
      const cluster = await startRedisCluster({}, t)
      const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
      const ends = await pair({ cluster: nodes }, t, sharded)
      const [channel] = ends.channels as [string]
      const slot = calculateSlot(`actionhero:pubsub:${channel}`)
      const from = await cluster.ownerOf(slot)
      let isOver = false
      let number = 0
      const publishing = (async () => {
        while (!isOver) {
          number += 1
          await ends.publisher.pubsub.publish(channel, number)
        }
      })()
      await cluster.migrateSlot(slot, from, (from + 1) % 3)
      // The clients learn of it at the next refusal, or look themselves every few seconds.
      await until(() => ends.gaps.some(({ channels }) => channels.includes(channel)), { deadlineMs: 15_000 })
      isOver = true
      await publishing
      await hearsAll(ends)
    })
  }

  test('[5] a master is killed: its channels are rebuilt at its successor, and the gap is told', async (t) => {
    const cluster = await startRedisCluster({ replicas: 1, nodeTimeoutMs: 1_000 }, t)
    const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
    const ends = await pair({ cluster: nodes }, t)
    const [channel] = ends.channels as [string]
    const slot = calculateSlot(`actionhero:pubsub:${channel}`)
    await cluster.killMaster(await cluster.ownerOf(slot))
    await until(() => ends.gaps.some(({ channels }) => channels.includes(channel)), { deadlineMs: 30_000 })
    await hearsAll(ends)
  })
})
