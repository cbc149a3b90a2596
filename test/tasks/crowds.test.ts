// Very many at once: due in one second, failing, failed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redisRegistryOf } from 'fastify-ah-kit/redis'
import { scaled, startRedis, until } from 'fastify-ah-test-support'
import { openApp, openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()

/** Runs `write` with every number below `count`, many at a time. */
async function inBulk(count: number, write: (from: number, to: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += 5_000) await write(from, Math.min(from + 5_000, count))
}

test('[41] very many jobs due in one second move in bounded batches, and others are served meanwhile', {
  timeout: 300_000,
}, async (t) => {
  await client.flushall()
  const count = scaled(100_000, 6_000)
  const second = Math.floor(Date.now() / 1_000) - 5
  await inBulk(count, (from, to) => {
    const payloads = Array.from(
      { length: to - from },
      (_, n) => `{"class":"crowd","queue":"crowd","args":[${from + n}]}`,
    )
    return client.rpush(`resque:delayed:${second}`, ...payloads)
  })
  await client.zadd('resque:delayed_queue_schedule', second, second)
  let ran = 0
  let crowdWhenOthersCame = -1
  const others = {
    name: 'other',
    run: () => {
      crowdWhenOthersCame = ran
    },
  }
  const crowd = {
    name: 'crowd',
    run: () => {
      ran += 1
    },
  }
  const options = { redis: redis.url, minTaskProcessors: 10, maxTaskProcessors: 10, scheduler: true }
  const tasks = await openTasks({ ...options, queues: ['first', '*'], define: [crowd, others] }, t)
  await tasks.enqueue('other', {}, { delayMs: 1, id: 'other', queue: 'first' })
  await until(() => ran === count, { deadlineMs: 120_000 })
  assert.ok(crowdWhenOthersCame >= 0 && crowdWhenOthersCame < count, String(crowdWhenOthersCame))
  assert.deepEqual(await tasks.timestamps(), [])
  const slow = (await client.call('SLOWLOG', 'GET', 200)) as [number, number, number, string[]][]
  // A batch is some hundreds: none is near the time that all of them would take.
  assert.deepEqual(
    slow.filter(([, , micros]) => micros > 400_000).map(([, , micros]) => micros),
    [],
  )
})

test('[44] failing jobs are tried again with growing, uneven waits, each counted by itself', {
  timeout: 300_000,
}, async (t) => {
  await client.flushall()
  const count = scaled(10_000, 400)
  const tries = new Map<number, number[]>()
  const fail = {
    name: 'fail',
    retry: { attempts: 3, backoffMs: 100, factor: 2, jitter: 0.5 },
    run: (n: number) => {
      const times = tries.get(n) ?? []
      times.push(performance.now())
      tries.set(n, times)
      throw new Error('always')
    },
  }
  const options = { redis: redis.url, minTaskProcessors: 50, maxTaskProcessors: 50, scheduler: true, maxFailed: 100 }
  const tasks = await openTasks({ ...options, define: [fail] as never }, t)
  await tasks.enqueueMany(Array.from({ length: count }, (_, n) => ({ name: 'fail', inputs: n })))
  await until(async () => (await tasks.stats())['failed'] === String(count), { deadlineMs: 120_000 })
  assert.equal(tries.size, count)
  assert.deepEqual(
    [...tries.values()].filter((times) => times.length !== 3),
    [],
  )
  const waits = [...tries.values()].map(([first = 0, second = 0, third = 0]) => [second - first, third - second])
  assert.ok(waits.every(([first = 0, second = 0]) => first >= 49 && second >= 99))
  const spread = waits.map(([first = 0]) => first)
  assert.ok(Math.max(...spread) - Math.min(...spread) > 20, 'not all at once')
  assert.equal(await tasks.failedCount(), 100)
})

test('[44] a very long failed list is read, cut and put back without being read into this process', {
  timeout: 300_000,
}, async (t) => {
  await client.flushall()
  const count = scaled(1_000_000, 50_000)
  await inBulk(count, (from, to) => {
    const entries = Array.from(
      { length: to - from },
      (_, n) =>
        `{"worker":"w","queue":"q","payload":{"class":"x","queue":"q","args":[${from + n}]},"exception":"Error","error":"e","backtrace":[],"failed_at":"now"}`,
    )
    return client.rpush('resque:failed', ...entries)
  })
  const app = await openApp({ redis: redis.url, define: [{ name: 'x', run: () => undefined }] }, t)
  const { tasks } = app
  assert.equal(await tasks.failedCount(), count)
  const [last] = await tasks.failed(-1, -1)
  const [middle] = await tasks.failed(count / 2, count / 2)
  assert.deepEqual(middle?.payload.args, [count / 2])
  assert.equal(await tasks.removeFailed(last!), 1)
  assert.equal(await tasks.retryAndRemoveFailed(middle!), true)
  assert.equal(await tasks.failedCount(), count - 2)
  assert.deepEqual(await tasks.queued('q'), [{ class: 'x', queue: 'q', args: [count / 2] }])
  const [used] = redisRegistryOf(app).connections
  assert.ok(!used?.connection.sent.has('lindex'))
})
