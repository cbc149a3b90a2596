// What users test their apps with, on Redis and on the store in memory; and the README's example of it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { clearQueues, enqueuedJobs, runQueues } from 'fastify-ah-tasks/testing'
import { startRedis } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()

for (const [where, options] of [
  ['Redis', { redis: redis.url }],
  ['the store in memory', { embedded: true }],
] as const) {
  describe(where, () => {
    test('lists what was enqueued, runs it in order with what it enqueues, and says how each ended', async (t) => {
      await client.flushall()
      const tasks = await openTasks(
        {
          ...options,
          define: [
            { name: 'add', run: ({ a, b }: { a: number; b: number }) => a + b },
            { name: 'more', run: async () => void (await tasks.enqueue('add', { a: 3, b: 4 })) },
            { name: 'fail', run: () => Promise.reject(new Error('no')) },
            { name: 'again', retry: { attempts: 2, backoffMs: 60_000 }, run: () => Promise.reject(new Error('later')) },
          ],
        },
        t,
      )
      await tasks.enqueue('add', { a: 1, b: 2 })
      await tasks.enqueue('more', {}, { id: 'm' })
      await tasks.enqueue('fail')
      await tasks.enqueue('again')
      await tasks.enqueueIn(3_600_000, 'add', { a: 0, b: 0 })
      const jobs = await enqueuedJobs(tasks)
      assert.deepEqual(
        jobs.map(({ task, inputs, id }) => [task, inputs, id]),
        [
          ['add', { a: 1, b: 2 }, undefined],
          ['more', {}, 'm'],
          ['fail', {}, undefined],
          ['again', {}, undefined],
          ['add', { a: 0, b: 0 }, undefined],
        ],
      )
      assert.ok(Math.abs(Number(jobs.at(-1)?.at) - Date.now() - 3_600_000) < 60_000)
      const ran = await runQueues(tasks)
      assert.deepEqual(
        ran.map(({ task, ending, result, error }) => [task, ending, result ?? error?.message]),
        [
          ['add', 'success', 3],
          ['more', 'success', undefined],
          ['fail', 'failure', 'no'],
          ['again', 'retry', 'later'],
          ['add', 'success', 7],
        ],
      )
      assert.deepEqual(
        (await enqueuedJobs(tasks)).map(({ task, at }) => [task, at !== undefined]),
        [
          ['again', true],
          ['add', true],
        ],
      )
      assert.deepEqual(await runQueues(tasks), [], 'what is planned stays so')
      await tasks.enqueue('add', { a: 5, b: 5 })
      await clearQueues(tasks)
      assert.deepEqual([await enqueuedJobs(tasks), await tasks.failedCount()], [[], 0])
    })
  })
}

test('an app that works by itself, and a job that does not end, are errors that say so', async (t) => {
  await client.flushall()
  const working = await openTasks({ redis: redis.url, maxTaskProcessors: 1 }, t)
  await assert.rejects(runQueues(working), { code: 'AH_TASKS_OPTIONS', message: /maxTaskProcessors: 0/ })
  const define = [{ name: 'hang', run: () => new Promise(() => undefined) }]
  const tasks = await openTasks({ redis: redis.url, namespace: 'hanging', define }, t)
  await tasks.enqueue('hang')
  await assert.rejects(runQueues(tasks, { timeoutMs: 200 }), /not empty after 200 ms; waiting: a job that runs/)
  assert.equal((await enqueuedJobs(tasks)).length, 1, 'it was given back')
})
