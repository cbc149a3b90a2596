// Room that a job leaves behind, in its process or under its concurrency key: what waits for it gets it, whatever became of the job.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobContext } from 'fastify-ah-tasks'
import { startRedis, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()

test('a job that is parked makes room for the next, in a process that is alone', async (t) => {
  await client.flushall()
  let go = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const seen: string[] = []
  const define = [
    { name: 'limited', concurrency: { max: 1 }, run: () => gate },
    { name: 'free', run: () => void seen.push('free') },
  ]
  const producer = await openTasks({ redis: redis.url, define }, t)
  await producer.enqueueMany([{ name: 'limited' }, { name: 'limited' }, { name: 'limited' }, { name: 'free' }])
  await openTasks({ redis: redis.url, minTaskProcessors: 2, maxTaskProcessors: 2, define }, t)
  try {
    await until(() => seen.length === 1, { deadlineMs: 3_000 })
  } finally {
    go()
  }
})

test('[31] a process that lost its job to another goes on with the next', async (t) => {
  await client.flushall()
  let runs = 0
  const seen: string[] = []
  const define = [
    {
      name: 'hold',
      run: (_: unknown, { signal }: JobContext) => {
        runs += 1
        return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      },
    },
    { name: 'free', run: () => void seen.push('free') },
  ]
  const tasks = await openTasks(
    { redis: redis.url, leaseMs: 600, minTaskProcessors: 1, maxTaskProcessors: 1, define },
    t,
  )
  await tasks.enqueue('hold')
  await until(() => runs === 1)
  // As another that takes its claims away does.
  const [claims = ''] = await client.keys('resque:ah:claims:*')
  await client.hdel(claims, '1')
  await tasks.enqueue('free')
  await until(() => seen.length === 1, { deadlineMs: 3_000 })
})

test('a parked job that is cancelled, or whose queue is removed once it was called, leaves its turn to the next', async (t) => {
  await client.flushall()
  const letGo: (() => void)[] = []
  const seen: unknown[] = []
  const run = (n: unknown): Promise<void> => {
    seen.push(n)
    return new Promise<void>((resolve) => letGo.push(resolve))
  }
  const define = [{ name: 'limited', concurrency: { max: 1 }, run }]
  const options = { redis: redis.url, scheduler: true, minTaskProcessors: 5, maxTaskProcessors: 5, define }
  const tasks = await openTasks(options, t)
  const parked = async (): Promise<number> => Number((await tasks.details()).queues['default']?.parked)
  for (const n of [1, 2, 3, 4, 5]) await tasks.enqueue('limited', n, { id: `job ${n}` })
  await until(async () => (await parked()) === 4)
  assert.equal(await tasks.cancel('job 2'), true)
  letGo.shift()?.()
  await until(() => seen.length === 2)
  assert.deepEqual(seen, [1, 3])
  // The next one is called into a queue that nobody works just then, and is lost with it.
  await tasks.pause('default')
  letGo.shift()?.()
  await until(async () => (await parked()) === 1)
  await tasks.delQueue('default')
  await tasks.resume('default')
  // As if that had been a while ago.
  await client.hset('resque:ah:limits', 'limited', '1 0')
  await until(() => seen.length === 3, { deadlineMs: 5_000 })
  assert.deepEqual(seen, [1, 3, 5])
  letGo.shift()?.()
  await until(async () => (await tasks.stats())['processed'] === '3')
  assert.deepEqual(await client.keys('resque:ah:{parked,limits,slots}*'), [])
})
