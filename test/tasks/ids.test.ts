// Ids that users give: used again, used twice, cancelled.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobContext } from 'fastify-ah-tasks'
import { startRedis, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const seen: unknown[] = []
const note = { name: 'note', run: (given: unknown) => void seen.push(given) }

test('two jobs of one id that fail are both tried again', async (t) => {
  await client.flushall()
  const tries: string[] = []
  const run = (n: unknown, { attempt }: JobContext): void => {
    tries.push(`${n}:${attempt}`)
    if (attempt === 1) throw new Error('not yet')
  }
  const define = [{ name: 'fail', retry: { attempts: 2, backoffMs: 100, jitter: 0 }, run }]
  const tasks = await openTasks(
    { redis: redis.url, scheduler: true, minTaskProcessors: 2, maxTaskProcessors: 2, define },
    t,
  )
  await tasks.enqueueMany([1, 2].map((n) => ({ name: 'fail', inputs: n, options: { id: 'same' } })))
  await until(() => tries.length === 4)
  assert.deepEqual(tries.sort(), ['1:1', '1:2', '2:1', '2:2'])
})

test('an id that was cancelled can be used again at once, and what is known of its first job is forgotten', async (t) => {
  await client.flushall()
  seen.length = 0
  const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 1, leaseMs: 15_000, define: [note] }, t)
  await tasks.pause('default')
  await tasks.enqueue('note', 1, { id: 'x', track: true })
  assert.equal(await tasks.cancel('x'), true)
  await tasks.resume('default')
  await until(async () => (await tasks.track('x'))?.state === 'cancelled')
  await tasks.enqueue('note', 2, { id: 'x', track: true })
  await tasks.waitFor('x')
  assert.deepEqual(seen, [2])
  await client.hset('resque:ah:track:x', 'progress', '50')
  await tasks.pause('default')
  await tasks.enqueue('note', 3, { id: 'x', track: true })
  assert.deepEqual(await tasks.track('x'), { id: 'x', state: 'waiting' })
})

test('of more cancelled jobs than a process keeps in mind none runs', async (t) => {
  await client.flushall()
  seen.length = 0
  const producer = await openTasks({ redis: redis.url, define: [note] }, t)
  await producer.enqueue('note', 'cancelled', { id: 'first' })
  await producer.enqueue('note', 'spared', { id: 'spared' })
  assert.equal(await producer.cancel('first'), true)
  const now = Date.now()
  const later = Array.from({ length: 10_001 }, (_, n) => [now + 1_000, `other ${n}`]).flat()
  await client.zadd('resque:ah:cancelled', ...later)
  const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 1, queues: ['later'], define: [note] }, t)
  // Once it has asked for what is cancelled.
  await until(async () => (await client.exists('resque:ah:processors')) === 1)
  await until(async () => Object.keys(await tasks.workers()).length === 1)
  await tasks.enqueue('note', 'asked', 'later')
  await until(() => seen.length === 1)
  await client.eval(
    "redis.call('RENAME', KEYS[1], KEYS[2]) redis.call('RPUSH', KEYS[3], '1')",
    3,
    'resque:queue:default',
    'resque:queue:later',
    'resque:ah:wake:later',
  )
  await until(() => seen.length === 2)
  assert.deepEqual(seen, ['asked', 'spared'])
})

test('what is known of a tracked job that is planned for later is kept until then, and as long again as ever', async (t) => {
  await client.flushall()
  const tasks = await openTasks({ redis: redis.url, trackMs: 1_000, define: [note] }, t)
  await tasks.enqueue('note', 1, { id: 'in', track: true, delayMs: 100_000 })
  await tasks.enqueue('note', 1, { id: 'at', track: true, at: Date.now() + 100_000 })
  for (const id of ['in', 'at']) {
    const ms = await client.pttl(`resque:ah:track:${id}`)
    assert.ok(ms > 95_000 && ms <= 101_000, `${id}: ${ms}`)
  }
})
