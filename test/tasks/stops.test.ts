// How a process stops: nothing more is claimed, what runs may end, the rest goes back unblamed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lifecycleOf } from 'fastify-ah-kit'
import { startProxy, startRedis, until } from 'fastify-ah-test-support'
import { openApp, openTasks } from './open-tasks.ts'
import { startWorker } from './workers.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const define = [{ name: 'work', run: () => undefined }]

test('[43] a stop gives what is not done back to the head of its queue, unfailed, and claims nothing', async (t) => {
  await client.flushall()
  const tasks = await openTasks({ redis: redis.url, define }, t)
  const worker = await startWorker(redis.url, { minTaskProcessors: 2, maxTaskProcessors: 2, graceMs: 600 }, t)
  const items = [30_000, 31_000, 32_000, 33_000].map((ms, id) => ({ name: 'work', inputs: { id, ms } }))
  await tasks.enqueueMany(items)
  await until(async () => (await client.llen('started')) === 2)
  worker.kill('SIGTERM')
  worker.kill('SIGTERM')
  await tasks.enqueue('work', { id: 4 })
  const stoppedAt = performance.now()
  assert.deepEqual(await worker.exited, { code: 0, signal: null })
  assert.ok(performance.now() - stoppedAt >= 500, 'it waited for its jobs')
  assert.deepEqual(
    (await tasks.queued('default')).map(({ args }) => (args[0] as { id: number }).id),
    [0, 1, 2, 3, 4],
  )
  assert.deepEqual(
    worker.said.filter(({ aborted }) => aborted).map(({ aborted }) => aborted),
    ['AH_TASKS_STOPPED', 'AH_TASKS_STOPPED'],
  )
  assert.deepEqual([await tasks.failedCount(), await tasks.stats()], [0, {}])
  // Nothing of it is left.
  assert.deepEqual(await tasks.workers(), {})
  assert.deepEqual(
    await client.keys('resque:ah:*').then((keys) => keys.filter((key) => /claims|processors|mail|holds/.test(key))),
    [],
  )
  const seen: unknown[] = []
  const run = (_: unknown, { recovered }: { recovered: boolean }): void => void seen.push(recovered)
  await openTasks({ redis: redis.url, maxTaskProcessors: 5, define: [{ name: 'work', run }] }, t)
  await until(() => seen.length === 5)
  assert.deepEqual(new Set(seen), new Set([false]))
})

test('a stop waits for jobs that end in time, and records them', async (t) => {
  await client.flushall()
  let go = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const app = await openApp({ redis: redis.url, maxTaskProcessors: 2, define: [{ name: 'hold', run: () => gate }] }, t)
  await app.tasks.enqueueMany([{ name: 'hold' }, { name: 'hold' }])
  await until(async () => (await app.tasks.length('default')) === 0)
  const closing = app.close()
  go()
  await closing
  assert.equal(await client.get('resque:stat:processed'), '2')
})

test('[43] [1] with Redis away a stop ends in time all the same', { timeout: 60_000 }, async (t) => {
  const own = await startRedis({ appendfsyncAlways: true }, t)
  const tasks = await openTasks({ redis: own.url, define }, t)
  const worker = await startWorker(own.url, { graceMs: 300 }, t)
  await tasks.enqueue('work', { id: 'a', ms: 60_000 })
  await until(() => worker.said.some(({ started }) => started === 'a'))
  await own.kill()
  const stoppedAt = performance.now()
  worker.kill('SIGTERM')
  assert.deepEqual(await worker.exited, { code: 0, signal: null })
  assert.ok(performance.now() - stoppedAt < 20_000)
  // The job is not lost: its lease ends.
  await own.restart()
  const seen: unknown[] = []
  const run = (): void => void seen.push(1)
  await openTasks({ redis: own.url, leaseMs: 900, maxTaskProcessors: 1, define: [{ name: 'work', run }] }, t)
  await until(() => seen.length === 1, { deadlineMs: 15_000 })
})

test('[37] a run that ignores its signal does not hold up the close', async (t) => {
  await client.flushall()
  const deaf = { name: 'deaf', run: () => new Promise(() => undefined) }
  const app = await openApp({ redis: redis.url, maxTaskProcessors: 1, graceMs: 50, define: [deaf] }, t)
  await app.tasks.enqueue('deaf')
  await until(async () => (await app.tasks.length('default')) === 0)
  await app.close()
  assert.equal(await client.llen('resque:queue:default'), 1)
})

test('[2] [43] a drain ends within its time with Redis silent, its jobs deaf and the lock of the scheduler held', {
  timeout: 60_000,
}, async (t) => {
  const own = await startRedis({}, t)
  const proxy = await startProxy({ target: own }, t)
  let runs = 0
  const deaf = {
    name: 'deaf',
    run: () => {
      runs += 1
      return new Promise(() => undefined)
    },
  }
  const options = { redis: proxy.url, scheduler: true, graceMs: 100, maxTaskProcessors: 1 }
  const app = await openApp({ ...options, define: [deaf] }, t)
  await app.tasks.enqueue('deaf')
  await until(() => runs === 1)
  await until(async () => (await app.tasks.details()).leader !== null)
  proxy.swallow()
  assert.deepEqual(await lifecycleOf(app).drain(), [{ name: 'tasks', error: undefined }])
  proxy.pass()
})
