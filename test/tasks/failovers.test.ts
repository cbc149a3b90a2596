// A master of Redis dies: under Sentinel, and in a Redis Cluster.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Enqueued, Tasks } from 'fastify-ah-tasks'
import { startRedisCluster, startSentinel, type TestScope, until } from 'fastify-ah-test-support'
import { type OpenOptions, openTasks } from './open-tasks.ts'

// Down-after, an election, and what a busy machine takes.
const backMs = 30_000

/** Tasks that count their runs, and an enqueue that is tried until it is acknowledged. */
async function counting(options: OpenOptions, scope: TestScope) {
  const ran = new Set<number>()
  const count = { name: 'count', run: (n: number) => void ran.add(n) }
  const common = { scheduler: true, minTaskProcessors: 4, maxTaskProcessors: 4, leaseMs: 3_000 }
  return { ran, tasks: await openTasks({ ...common, ...options, define: [count] as never }, scope) }
}

/** Enqueues for a while; answers the numbers that were acknowledged. */
async function enqueueFor(tasks: Tasks, ms: number, first: number, breakIt: () => Promise<unknown>): Promise<number[]> {
  const acknowledged: number[] = []
  const endsAt = performance.now() + ms
  let isBroken = false
  for (let n = first; performance.now() < endsAt; n += 1) {
    const enqueued: Enqueued | false = await tasks.enqueue('count', n).catch(() => false)
    if (enqueued) acknowledged.push(n)
    if (!isBroken && acknowledged.length >= 50) {
      isBroken = true
      await breakIt()
    }
    // A steady load: some hundred a second.
    await sleep(3)
  }
  assert.ok(isBroken)
  return acknowledged
}

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
