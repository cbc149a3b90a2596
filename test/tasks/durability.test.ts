// Enqueues that wait for replicas: what they hold up, what they say, and what they never do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startProxy, startRedis, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const durability = { replicas: 1, timeoutMs: 1_000 }

test('[4] with the replica away an enqueue says so after its time, and holds up nobody meanwhile', async (t) => {
  const options = { redis: redis.url, namespace: 'alone', durability, maxTaskProcessors: 1 }
  let runs = 0
  const countRun = () => {
    runs += 1
  }
  const define = [{ name: 'count', run: () => void countRun() }]
  const tasks = await openTasks({ ...options, define }, t)
  for (let round = 0; round < 2; round += 1) {
    let isTold = false
    const told = tasks.enqueue('count').catch((error: { code: string }) => {
      isTold = true
      return error.code
    })
    await until(() => runs === round + 1)
    for (let call = 0; call < 50; call += 1) await tasks.length('default')
    assert.equal(isTold, false)
    assert.equal(await told, 'AH_TASKS_NOT_DURABLE')
  }
})

test('[4] [11a] an answer of the replicas that is cut off: not said to be not enqueued, and enqueued once', async (t) => {
  const proxy = await startProxy({ target: redis }, t)
  const options = { redis: proxy.url, namespace: 'cut', durability: { ...durability, timeoutMs: 100 } }
  const tasks = await openTasks({ ...options, define: [{ name: 'count', run: () => undefined }] }, t)
  await assert.rejects(tasks.enqueue('count'), { code: 'AH_TASKS_NOT_DURABLE' })
  const cut = proxy.cutAnswers({ after: (_, [name]) => /^wait$/i.test(name ?? '') })
  const error = await tasks.enqueue('count').then(
    () => undefined,
    (thrown: Error & { code: string; cause?: { code: string } }) => thrown,
  )
  assert.equal(await cut, 1)
  assert.equal(error?.code, 'AH_TASKS_NOT_DURABLE')
  assert.match(String(error?.cause?.code), /^AH_KIT_REDIS_(?:TIMEOUT|UNCERTAIN)$/)
  assert.equal(await tasks.length('default'), 2)
})

test('[4] with the replica there an enqueue is acknowledged', async (t) => {
  const replica = await startRedis(
    { config: { replicaof: `${redis.host} ${redis.port}`, 'repl-diskless-sync-delay': '0' } },
    t,
  )
  await until(async () => String(await replica.command('INFO', 'replication')).includes('master_link_status:up'))
  const options = { redis: redis.url, namespace: 'two', durability }
  const tasks = await openTasks({ ...options, define: [{ name: 'count', run: () => undefined }] }, t)
  const acknowledged = await Promise.all(Array.from({ length: 100 }, (_, n) => tasks.enqueue('count', n)))
  assert.equal(acknowledged.length, 100)
  assert.equal(Number(await replica.command('LLEN', 'two:queue:default')), 100)
})
