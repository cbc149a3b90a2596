// Under the manager the death of a worker is known to all in the moment in which it happens.
import assert from 'node:assert/strict'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { startCluster } from 'fastify-ah-cluster/manager'
import type { NodeInfo } from 'fastify-ah-pubsub'
import { atEnd, freePort, httpGet, startRedis, tempDir, until } from 'fastify-ah-test-support'
import { openPubSub } from './open-pubsub.ts'

test('a worker killed with -9 is gone from nodes() at once, on this host and on others; its successor joins', async (t) => {
  const redis = await startRedis({}, t)
  const elsewhere = await openPubSub({ redis: redis.url, leaseMs: 120_000 }, t)
  const left: string[] = []
  elsewhere.on('nodeLeft', ({ id }) => left.push(id))
  const port = await freePort()
  const cluster = await startCluster({
    app: fileURLToPath(new URL('./fixtures/app.js', import.meta.url)),
    port,
    host: '127.0.0.1',
    workers: 2,
    embedded: false,
    logLevel: 'silent',
    pids: tempDir(t).path,
    env: { ...process.env, NODE_ENV: 'test', REDIS_URL: redis.url },
  })
  atEnd(t, () => cluster.kill().then(() => undefined))
  const others = async () => (await elsewhere.nodes()).filter(({ id }) => id !== elsewhere.id)
  const before = await until(async () => {
    const nodes = await others()
    return nodes.length === 2 && nodes
  })
  const [dies] = before as [NodeInfo]
  process.kill(dies.pid, 'SIGKILL')
  await until(() => left.length > 0, { deadlineMs: 1_000, what: 'a node of another host hears of the death' })
  assert.deepEqual(left, [dies.id])
  assert.ok((await others()).every(({ id }) => id !== dies.id))
  const { body } = await httpGet({ port }, { path: '/nodes' })
  assert.ok((JSON.parse(body) as NodeInfo[]).every(({ id }) => id !== dies.id))
  await until(async () => (await others()).length === 2, { what: 'its successor joins' })
  assert.deepEqual(left, [dies.id])
  assert.deepEqual(await cluster.stop(), { isGraceful: true, error: undefined })
  await until(async () => (await others()).length === 0)
})

test('a worker that is told to stop while it boots takes its node off the list, not at the end of its lease', async (t) => {
  const redis = await startRedis({}, t)
  const elsewhere = await openPubSub({ redis: redis.url, leaseMs: 120_000 }, t)
  const cluster = await startCluster({
    app: fileURLToPath(new URL('./fixtures/app.js', import.meta.url)),
    port: await freePort(),
    host: '127.0.0.1',
    workers: 1,
    embedded: false,
    logLevel: 'silent',
    pids: tempDir(t).path,
    env: { ...process.env, NODE_ENV: 'test', REDIS_URL: redis.url, READY_AFTER_MS: '700' },
  })
  atEnd(t, () => cluster.kill().then(() => undefined))
  const others = async () => (await elsewhere.nodes()).length - 1
  cluster.scale(2)
  await until(async () => (await others()) === 2, { what: 'a second node, whose process still boots' })
  assert.deepEqual(
    cluster.status().workers.map(({ state }) => state),
    ['started', 'starting'],
  )
  assert.deepEqual(await cluster.stop(), { isGraceful: true, error: undefined })
  await until(async () => (await others()) === 0)
})
