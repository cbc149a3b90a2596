// Connections that look well and hear nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lifecycleOf } from 'fastify-ah-kit'
import { redisRegistryOf } from 'fastify-ah-kit/redis'
import type { Gap } from 'fastify-ah-pubsub'
import { startProxy, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import type { Redis } from 'ioredis'
import { openApp } from './open-pubsub.ts'

const redis = await startRedis({}, test)
const probeMs = 300

/** An app with subscriptions, its subscriber connection, and the gaps that it told. */
async function listening(prefix: string, t: TestScope, url = redis.url) {
  const app = await openApp({ redis: url, prefix, probeMs }, t)
  const heard: unknown[] = []
  const gaps: Gap[] = []
  app.pubsub.onGap((gap) => gaps.push(gap))
  for (const channel of ['/a', '/b', '/*/deep']) await app.pubsub.subscribe(channel, (data) => heard.push(data))
  await until(async () => (await lifecycleOf(app).readiness()).ready)
  const [feed] = redisRegistryOf(app).connections[0]!.connection.dedicatedConnections
  return { app, heard, gaps, feed: feed!, client: feed!.client as Redis }
}

/** The gap was told with all that was subscribed to, and everything is heard again. */
async function recovers(
  { app, heard, gaps }: Awaited<ReturnType<typeof listening>>,
  deadlineMs: number,
): Promise<void> {
  const missed = () => new Set(gaps.flatMap(({ channels }) => channels))
  await until(() => ['/a', '/b', '/*/deep'].every((channel) => missed().has(channel)), { deadlineMs })
  heard.length = 0
  for (const channel of ['/a', '/b', '/x/deep']) await app.pubsub.publish(channel, channel)
  await until(() => heard.length === 3)
  await until(async () => (await lifecycleOf(app).readiness()).ready)
}

// Two probes, and what connecting takes on a busy machine.
const twoProbes = probeMs * 2 + 1_000

test('[22] Redis has forgotten all of its subscriptions: found within two probes, rebuilt, reported', async (t) => {
  const node = await listening('forgotten:', t)
  const channels = (await redis.command('PUBSUB', 'CHANNELS', 'forgotten:*')) as string[]
  assert.ok(channels.length > 3, 'those of the package, and the probe')
  for (const channel of channels) await node.client.call('UNSUBSCRIBE', channel)
  await node.client.call('PUNSUBSCRIBE', 'forgotten:pubsub:/*/deep')
  await recovers(node, twoProbes)
  assert.notEqual(node.feed.client, node.client, 'the connection is another one')
})

test('[22] Redis has forgotten a single one, and the probe itself is heard: found by its count', async (t) => {
  const node = await listening('single:', t)
  await node.client.call('UNSUBSCRIBE', 'single:pubsub:/a')
  await recovers(node, twoProbes)
  assert.notEqual(node.feed.client, node.client)
})

test('[22] the connection answers, and its client passes no message on', async (t) => {
  const node = await listening('muted:', t)
  // As a bug of the client would: what comes is thrown away.
  for (const event of ['messageBuffer', 'pmessageBuffer']) node.client.removeAllListeners(event)
  await recovers(node, twoProbes)
  assert.notEqual(node.feed.client, node.client)
})

test('[22] while it is deaf the app is not ready', async (t) => {
  const { app, client } = await listening('unready:', t)
  for (const event of ['messageBuffer', 'pmessageBuffer']) client.removeAllListeners(event)
  await until(async () => {
    const { failed } = await lifecycleOf(app).readiness()
    return failed.some(({ name, reason }) => name === 'pubsub' && /subscriber connection/.test(reason))
  })
  await until(async () => (await lifecycleOf(app).readiness()).ready)
})

test('[22] the network swallows everything: the connection is made anew without a close of the old one', async (t) => {
  const proxy = await startProxy({ target: redis }, t)
  const node = await listening('swallowed:', t, proxy.url)
  proxy.swallow()
  await until(() => node.feed.client !== node.client, { deadlineMs: 8_000 })
  proxy.pass()
  await recovers(node, 10_000)
})
