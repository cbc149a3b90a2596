// Recurring tasks that are looked after by hand, from whichever process.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()

test('a process that does not lead plans anew, stops, and has all run, none beside one that runs', async (t) => {
  await client.flushall()
  const letGo: (() => void)[] = []
  let runs = 0
  const run = (): Promise<void> => {
    runs += 1
    return new Promise((resolve) => letGo.push(resolve))
  }
  const define = [
    { name: 'hourly', frequencyMs: 3_600_000, run },
    { name: 'never', run: () => undefined },
  ]
  await openTasks({ redis: redis.url, scheduler: true, minTaskProcessors: 2, maxTaskProcessors: 2, define }, t)
  const tasks = await openTasks({ redis: redis.url, define }, t)
  const planned = async (): Promise<string | null> => client.hget('resque:ah:ticks', 'hourly')
  await until(() => runs === 1)
  assert.deepEqual(await tasks.enqueueAllRecurrentTasks(), [], 'its job runs')
  letGo.shift()?.()
  await until(async () => (await tasks.stats())['processed'] === '1')
  const before = await planned()
  await tasks.enqueueRecurrentTask('hourly')
  assert.equal(await planned(), before)
  assert.equal(await tasks.stopRecurrentTask('hourly'), 0)
  assert.equal(await planned(), 'stopped')
  // Longer than the leader sleeps: it looks at least once.
  await sleep(1_200)
  assert.equal(runs, 1, 'planned for its next time, then for none')
  assert.deepEqual(await tasks.enqueueAllRecurrentTasks(), ['hourly'])
  await until(() => runs === 2)
  letGo.shift()?.()
  assert.equal(await planned(), before)
  await assert.rejects(tasks.stopRecurrentTask('never'), { code: 'AH_TASKS_DEFINITION', message: /does not recur/ })
})
