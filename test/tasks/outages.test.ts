// Redis goes away, falls silent, refuses, or loses its connections, while jobs run.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tasks } from 'fastify-ah-tasks'
import { random, scaled, startProxy, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

/** Tasks that work, and how often each number has run. */
async function counting(url: string, scope: TestScope): Promise<{ tasks: Tasks; runs: Map<number, number> }> {
  const runs = new Map<number, number>()
  const count = {
    name: 'count',
    run: async (n: number) => {
      runs.set(n, (runs.get(n) ?? 0) + 1)
      // Runs of different length, so that an outage meets each state.
      await sleep(random() * 5)
    },
  }
  const options = { redis: url, minTaskProcessors: 8, maxTaskProcessors: 8, scheduler: true, leaseMs: 9_000 }
  return { tasks: await openTasks({ ...options, define: [count] as never }, scope), runs }
}

const backMs = 8_000

test('[1] [45] Redis is stopped and started while idle and mid-work: all goes on, an enqueue meanwhile rejects', {
  timeout: 120_000,
}, async (t) => {
  const redis = await startRedis({ appendfsyncAlways: true }, t)
  const { tasks, runs } = await counting(redis.url, t)
  let n = 0
  for (const awayMs of [scaled(30_000, 300), 1_000]) {
    await tasks.enqueueMany(Array.from({ length: 200 }, () => ({ name: 'count', inputs: n++ })))
    await until(() => runs.size > n - 150)
    await redis.stop()
    const refused = n++
    const began = performance.now()
    await assert.rejects(tasks.enqueue('count', refused), { code: /AH_KIT_REDIS_(?:DOWN|UNCERTAIN)/ })
    assert.ok(performance.now() - began < 6_000)
    // Time is the subject: how long it is away.
    await sleep(awayMs)
    await redis.restart()
    await until(
      () =>
        tasks.enqueue('count', refused).then(
          () => true,
          () => false,
        ),
      { deadlineMs: backMs },
    )
    await until(() => runs.size === n, { deadlineMs: backMs })
    await until(async () => Number((await tasks.stats())['processed']) === n, { deadlineMs: backMs })
  }
  assert.deepEqual(
    [...runs.values()].filter((times) => times !== 1),
    [],
  )
  assert.equal(await tasks.failedCount(), 0)
})

test('[2] a black hole: an enqueue rejects within its deadline, and all recovers by itself', {
  timeout: 60_000,
}, async (t) => {
  const redis = await startRedis({}, t)
  const proxy = await startProxy({ target: redis }, t)
  const { tasks, runs } = await counting(proxy.url, t)
  await tasks.enqueue('count', 0)
  await until(() => runs.size === 1)
  proxy.swallow()
  const began = performance.now()
  await assert.rejects(tasks.enqueue('count', 1), { code: /AH_KIT_REDIS_(?:UNCERTAIN|DOWN)/ })
  assert.ok(performance.now() - began < 6_500)
  proxy.pass()
  await until(
    () =>
      tasks.enqueue('count', 2).then(
        () => true,
        () => false,
      ),
    { deadlineMs: backMs },
  )
  await until(() => runs.get(2) === 1, { deadlineMs: backMs })
})

test('[3] connections that are killed all the time lose and double nothing', { timeout: 120_000 }, async (t) => {
  const redis = await startRedis({}, t)
  const { tasks, runs } = await counting(redis.url, t)
  const client = redis.client()
  const endsAt = performance.now() + scaled(30_000, 3_000)
  let n = 0
  let kills = 0
  while (performance.now() < endsAt) {
    const items = Array.from({ length: 50 }, () => ({ name: 'count', inputs: n++ }))
    await tasks.enqueueMany(items)
    kills += Number(await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'))
    // Time is the subject: the work goes on between two kills.
    await sleep(scaled(1_000, 150))
  }
  assert.ok(kills > 10)
  await until(() => runs.size === n, { deadlineMs: backMs })
  await until(async () => Number((await tasks.stats())['processed']) === n, { deadlineMs: backMs })
  assert.deepEqual(
    [...runs.values()].filter((times) => times !== 1),
    [],
  )
  assert.equal(await tasks.length('default'), 0)
})

test('[11a] an answer that is cut off after Redis applied it: nothing is enqueued, run or recorded twice', {
  timeout: 120_000,
}, async (t) => {
  const redis = await startRedis({}, t)
  const proxy = await startProxy({ target: redis }, t)
  const { tasks, runs } = await counting(proxy.url, t)
  let n = 0
  let cuts = 0
  // Every script is known by then: what is cut is its answer, not "no such script".
  await tasks.enqueue('count', n++)
  await until(() => runs.size === 1)
  for (let round = 0; round < scaled(400, 30); round += 1) {
    const cut = proxy.cutAnswers({ after: (_, [name]) => /^(?:evalsha|eval)$/i.test(name ?? '') })
    const items = Array.from({ length: 10 }, () => ({ name: 'count', inputs: n++ }))
    await tasks.enqueueMany(items)
    cuts += await cut
    await until(() => runs.size >= n - 40, { deadlineMs: backMs })
  }
  assert.ok(cuts > 0)
  await until(() => runs.size === n, { deadlineMs: backMs })
  await until(async () => Number((await tasks.stats())['processed']) === n, { deadlineMs: backMs })
  assert.deepEqual(
    [...runs.values()].filter((times) => times !== 1),
    [],
  )
  const [claims] = await redis.client().keys('resque:ah:claims:*')
  const fields = await redis.client().hkeys(claims!)
  assert.deepEqual(
    fields.filter((field) => /^\d+$/.test(field)),
    [],
  )
})

test('[46b] [6] memory is full: an enqueue is refused, the jobs that run are recorded', async (t) => {
  const redis = await startRedis({ config: { 'maxmemory-policy': 'noeviction' } }, t)
  let go = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const hold = { name: 'hold', run: ({ fails }: { fails: boolean }) => gate.then(() => assert.ok(!fails, 'it fails')) }
  const tasks = await openTasks(
    { redis: redis.url, minTaskProcessors: 4, maxTaskProcessors: 4, define: [hold] as never },
    t,
  )
  await tasks.enqueueMany([true, false, false, false].map((fails) => ({ name: 'hold', inputs: { fails } })))
  await until(async () => (await tasks.length('default')) === 0)
  await redis.command('CONFIG', 'SET', 'maxmemory', '1')
  await assert.rejects(tasks.enqueue('hold', { fails: false }), { code: 'AH_KIT_REDIS_REFUSED', message: /OOM/ })
  go()
  await until(async () => (await tasks.stats())['processed'] === '3')
  await until(async () => (await tasks.failedCount()) === 1)
  await redis.command('CONFIG', 'SET', 'maxmemory', '0')
  await tasks.enqueue('hold', { fails: false })
  await until(async () => (await tasks.stats())['processed'] === '4')
})

/** Of the handshake, of the test itself, and how a script is sent for the first time. */
const ours = new Set(['auth', 'hello', 'client', 'info', 'acl', 'ping', 'config', 'select', 'eval', 'hlen', 'keys'])

test('[7] each command of each loop is refused for a while: the loop goes on', { timeout: 120_000 }, async (t) => {
  const redis = await startRedis({}, t)
  // The user may do everything that the tasks need; what it may not do changes from round to round.
  const url = await redis.denyCommand('flushall')
  const user = new URL(url).username
  const { tasks, runs } = await counting(url, t)
  const producer = await openTasks({ redis: redis.url, define: [{ name: 'count', run: () => undefined }] }, t)
  // Once without refusals: then Redis knows what the loops ask of it, inside of scripts too.
  await producer.enqueue('count', 0)
  await producer.enqueue('count', 1, { delayMs: 10, id: 'first' })
  await producer.enqueueAt(Date.now() - 2_000, 'count', 2)
  await until(() => runs.size === 3)
  const stats = String(await redis.command('INFO', 'commandstats'))
  const commands = [...stats.matchAll(/^cmdstat_([a-z]+):/gm)]
    .map(([, name]) => name!)
    .filter((name) => !ours.has(name))
  assert.ok(commands.length > 20, String(commands))
  let n = 3
  for (const command of commands) {
    await redis.command('ACL', 'SETUSER', user, `-${command}`)
    await producer.enqueueMany([1, 2].map(() => ({ name: 'count', inputs: n++ })))
    await producer.enqueue('count', n++, { delayMs: 10, id: command })
    // Time is the subject: every loop meets the refusal.
    await sleep(60)
    await redis.command('ACL', 'SETUSER', user, `+${command}`)
    await until(() => runs.size === n, { deadlineMs: backMs, what: `all run after ${command} was refused` })
  }
  // Every job has left its claim; the numbers since ever may be off by what was refused half way.
  await until(
    async () => {
      const keys = await redis.client().keys('resque:ah:claims:*')
      const fields = await Promise.all(keys.map((key) => redis.client().hkeys(key)))
      return fields.flat().every((field) => !/^\d+$/.test(field))
    },
    { deadlineMs: backMs },
  )
  assert.deepEqual([await tasks.length('default'), await redis.client().hlen('resque:ah:scheduled-jobs')], [0, 0])
  assert.equal(await tasks.failedCount(), 0)
})
