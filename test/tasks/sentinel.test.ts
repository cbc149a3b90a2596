// Redis under Sentinel: its master stands still, is only demoted, or dies with what its replica does not have.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lifecycleOf } from 'fastify-ah-kit'
import type { Tasks } from 'fastify-ah-tasks'
import { type RedisSentinel, type RedisServer, scaled, startSentinel, until } from 'fastify-ah-test-support'
import { backMs, counting, enqueueFor } from './failover-load.ts'
import { openApp, openTasks } from './open-tasks.ts'

const durability = { replicas: 1, timeoutMs: 1_000 }

const redisOf = ({ sentinels, name }: RedisSentinel) => ({ sentinels: [...sentinels], name }) as never

/** Whether an enqueue is taken: with less than it takes to be acknowledged, too. */
const isTaken = (tasks: Tasks, n: number): Promise<boolean> =>
  tasks.enqueue('count', n).then(
    () => true,
    ({ code }: { code?: string }) => code === 'AH_TASKS_NOT_DURABLE',
  )

const isAcknowledged = (tasks: Tasks, n: number): Promise<boolean> =>
  tasks.enqueue('count', n).then(
    () => true,
    () => false,
  )

/** Takes the connection between master and replica away, and keeps it from coming back. */
async function separate(master: RedisServer, replica: RedisServer): Promise<void> {
  await replica.command('CONFIG', 'SET', 'masteruser', 'nobody', 'masterauth', 'wrong')
  await master.command('CLIENT', 'KILL', 'TYPE', 'replica')
  await until(async () => String(await master.command('INFO', 'replication')).includes('connected_slaves:0'))
}

describe('under Sentinel', { concurrency: true, timeout: 120_000 }, () => {
  test('[4] the master stands still: the work goes on with the next one, no acknowledged job is lost', async (t) => {
    const sentinel = await startSentinel({}, t)
    const { ran, tasks } = await counting({ redis: redisOf(sentinel), durability }, t)
    await until(() => isAcknowledged(tasks, -1), { deadlineMs: backMs })
    let frozen: RedisServer | undefined
    const acknowledged = await enqueueFor(tasks, 1_000, 0, async () => {
      frozen = await sentinel.pauseMaster()
    })
    await until(() => isTaken(tasks, -2), { deadlineMs: backMs })
    await until(() => ran.has(-2) && acknowledged.every((n) => ran.has(n)), { deadlineMs: backMs })
    // It wakes up, believes for a moment that it is the master still, and changes nothing.
    frozen?.resume()
    await until(() => isTaken(tasks, -3), { deadlineMs: backMs })
    await until(() => ran.has(-3), { deadlineMs: backMs })
    assert.notEqual(await sentinel.master(), frozen)
    assert.equal(await tasks.failedCount(), 0)
  })

  test('[4] the master is only demoted: no caller hears of READONLY, no acknowledged job is lost; sentinels may be away', async (t) => {
    const sentinel = await startSentinel({}, t)
    const { ran, tasks } = await counting({ redis: redisOf(sentinel), durability }, t)
    await until(() => isAcknowledged(tasks, -1), { deadlineMs: backMs })
    const codes = new Set<string | undefined>()
    const acknowledged: number[] = []
    let isOver = false
    const load = (async () => {
      for (let n = 0; !isOver; n += 1) {
        await tasks.enqueue('count', n).then(
          () => acknowledged.push(n),
          ({ code }: { code?: string }) => codes.add(code),
        )
        await sleep(5)
      }
    })()
    await until(() => acknowledged.length > 50)
    const old = await sentinel.demoteMaster()
    const at = acknowledged.length
    await until(() => acknowledged.length > at + 50, { deadlineMs: backMs })
    assert.notEqual(await sentinel.master(), old)

    // Nobody can be asked who the master is, and every connection has to be made anew.
    await sentinel.stopSentinels()
    await (await sentinel.master()).command('CLIENT', 'KILL', 'TYPE', 'normal')
    // Time is the subject: how long they are away.
    await sleep(scaled(10_000, 500))
    await sentinel.startSentinels()
    const again = acknowledged.length
    await until(() => acknowledged.length > again + 50, { deadlineMs: backMs })
    isOver = true
    await load
    await until(() => acknowledged.every((n) => ran.has(n)), { deadlineMs: backMs })
    for (const code of codes) {
      assert.match(String(code), /^AH_(?:KIT_REDIS_(?:DOWN|UNCERTAIN|TIMEOUT)|TASKS_NOT_DURABLE)$/)
    }
    assert.equal(await tasks.failedCount(), 0)
  })

  test('[4] the master dies with what its replica does not have: that is lost, and with durability was not acknowledged', async (t) => {
    const sentinel = await startSentinel({}, t)
    const define = [{ name: 'count', run: () => undefined }]
    const redis = redisOf(sentinel)
    const tasks = await openTasks({ redis, define }, t)
    const app = await openApp({ redis, define, durability: { replicas: 1, timeoutMs: 200 } }, t)
    const durable = app.tasks
    const put = async (queue: string) => {
      for (let n = 0; n < 10; n += 1) await tasks.enqueue('count', n, queue)
    }
    await put('kept')
    for (let n = 0; n < 10; n += 1) await durable.enqueue('count', n, 'durable')
    const master = await sentinel.master()
    await separate(master, await sentinel.replica())
    await put('lost')
    for (let n = 10; n < 15; n += 1) {
      await assert.rejects(durable.enqueue('count', n, 'durable'), { code: 'AH_TASKS_NOT_DURABLE' })
    }
    assert.deepEqual([await tasks.length('lost'), await tasks.length('durable')], [10, 15])

    await sentinel.killMaster()
    await until(async () => (await sentinel.master()) !== master, { deadlineMs: backMs })
    await until(async () => (await lifecycleOf(app).readiness()).ready, { deadlineMs: backMs })
    const lengths = async () => Promise.all(['kept', 'lost', 'durable'].map((queue) => tasks.length(queue)))
    assert.deepEqual(await until(lengths, { deadlineMs: backMs }), [10, 0, 10])
    assert.deepEqual((await tasks.queues()).sort(), ['durable', 'kept'])
    const inputs = (await tasks.queued('durable')).map(({ args }) => args[0])
    assert.deepEqual(inputs, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})
