// Room that a job leaves behind without a settle: what waits is taken at once, by whoever has it.
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
