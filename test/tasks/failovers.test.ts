// A master of Redis dies: under Sentinel, and in a Redis Cluster.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedisCluster, startSentinel, until } from 'fastify-ah-test-support'
import { backMs, counting, enqueueFor } from './failover-load.ts'

test('[4] under Sentinel the master is killed: with a replica in the acknowledgement no job is lost', {
  timeout: 120_000,
}, async (t) => {
  const sentinel = await startSentinel({}, t)
  const redis = { sentinels: [...sentinel.sentinels], name: sentinel.name } as never
  const durability = { replicas: 1, timeoutMs: 1_000 }
  const { ran, tasks } = await counting({ redis, durability }, t)
  await until(
    () =>
      tasks.enqueue('count', -1).then(
        () => true,
        () => false,
      ),
    { deadlineMs: backMs },
  )
  await until(() => ran.has(-1))
  const acknowledged = await enqueueFor(tasks, 2_000, 0, () => sentinel.killMaster())
  // With one replica gone nobody can confirm: what is enqueued from then on is told to be so.
  await until(
    () =>
      tasks.enqueue('count', -2).then(
        () => true,
        ({ code }: { code?: string }) => code === 'AH_TASKS_NOT_DURABLE',
      ),
    { deadlineMs: backMs },
  )
  await until(() => ran.has(-2), { deadlineMs: backMs })
  await until(() => acknowledged.every((n) => ran.has(n)), {
    deadlineMs: backMs,
    what: 'every acknowledged job has run',
  })
})

test('[5] in a Cluster the master of the queues is killed, and its slot moves under load: no job is lost, nothing is refused for its slot', {
  timeout: 180_000,
}, async (t) => {
  const cluster = await startRedisCluster({ masters: 3, replicas: 1 }, t)
  const redis = { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) }
  const { ran, tasks } = await counting({ redis, durability: { replicas: 1 } }, t)
  await until(
    () =>
      tasks.enqueue('count', -1).then(
        () => true,
        () => false,
      ),
    { deadlineMs: backMs },
  )
  await until(() => ran.has(-1))
  const slot = Number(await cluster.client().cluster('KEYSLOT', '{resque}:queues'))
  const owner = await cluster.ownerOf(slot)
  const before = await enqueueFor(tasks, 2_500, 0, () => cluster.migrateSlot(slot, owner, (owner + 1) % 3))
  await until(() => before.every((n) => ran.has(n)), { deadlineMs: backMs, what: 'all has run after the slot moved' })
  const acknowledged = await enqueueFor(tasks, 2_500, 100_000, async () =>
    cluster.killMaster(await cluster.ownerOf(slot)),
  )
  await until(
    () =>
      tasks.enqueue('count', -2).then(
        () => true,
        ({ code }: { code?: string }) => code === 'AH_TASKS_NOT_DURABLE',
      ),
    {
      deadlineMs: backMs,
    },
  )
  await until(() => ran.has(-2), { deadlineMs: backMs })
  await until(() => acknowledged.every((n) => ran.has(n)), {
    deadlineMs: backMs,
    what: 'every acknowledged job has run',
  })
  assert.ok(acknowledged.length >= 50)
})
