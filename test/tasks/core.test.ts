// A job's way: enqueued, claimed, run, settled.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()

test('a job that is enqueued runs, once, with its inputs', async (t) => {
  await client.flushall()
  const seen: unknown[] = []
  const tasks = await openTasks(
    {
      redis: redis.url,
      maxTaskProcessors: 4,
      define: [{ name: 'see', run: (inputs: unknown) => void seen.push(inputs) }],
    },
    t,
  )
  assert.deepEqual(await tasks.enqueue('see', { a: 1 }), { queue: 'default' })
  await until(() => seen.length === 1)
  assert.deepEqual(seen, [{ a: 1 }])
  await until(async () => (await tasks.stats())['processed'] === '1')
  assert.equal(await tasks.length('default'), 0)
  const many = await tasks.enqueueMany(Array.from({ length: 1000 }, (_, n) => ({ name: 'see', inputs: n })))
  assert.equal(many.length, 1000)
  await until(() => seen.length === 1001)
  await until(async () => (await tasks.stats())['processed'] === '1001')
  assert.deepEqual(
    seen.slice(1),
    Array.from({ length: 1000 }, (_, n) => n),
  )
})
