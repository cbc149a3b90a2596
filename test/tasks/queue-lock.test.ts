// QueueLock: its lock comes with the job and goes with it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import resque from 'node-resque'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()

test('QueueLock: a second one is not enqueued while the first waits, also one of node-resque; it may be once that runs', async (t) => {
  await client.flushall()
  const define = [{ name: 'job', plugins: ['QueueLock'], run() {} }]
  const tasks = await openTasks({ redis: redis.url, define }, t)
  const jobs = { job: { plugins: ['QueueLock'], perform: async () => undefined } }
  const queue = new resque.Queue({ connection: { redis: client as never, namespace: 'resque' } }, jobs)
  await queue.connect()
  assert.notEqual(await tasks.enqueue('job', { n: 1 }), false)
  assert.equal(await tasks.enqueue('job', { n: 1 }), false)
  assert.equal(await queue.enqueue('default', 'job', [{ n: 1 }]), false)
  assert.notEqual(await tasks.enqueue('job', { n: 2 }), false)
  assert.equal(await queue.enqueue('default', 'job', [{ n: 3 }]), true)
  assert.equal(await tasks.enqueue('job', { n: 3 }), false)
  assert.equal(await tasks.length('default'), 3)
  const worker = await openTasks({ redis: redis.url, maxTaskProcessors: 1, define }, t)
  await until(async () => (await worker.stats())['processed'] === '3')
  assert.deepEqual(await tasks.locks(), {})
})

test('QueueLock holds for a job that is planned, too', async (t) => {
  await client.flushall()
  const define = [{ name: 'job', plugins: ['QueueLock'], pluginOptions: { QueueLock: { lockTimeout: 10 } }, run() {} }]
  const tasks = await openTasks({ redis: redis.url, define }, t)
  assert.notEqual(await tasks.enqueueIn(100_000, 'job', { n: 1 }), false)
  assert.equal(await tasks.enqueue('job', { n: 1 }), false)
  const ttl = await client.pttl('resque:lock:job:default:[{"n":1}]')
  assert.ok(ttl > 105_000 && ttl <= 110_000, `${ttl}`)
})

test('[42] QueueLock: an enqueue that fails takes no lock, and a late job does not free the lock of the next', async (t) => {
  await client.flushall()
  const runs: unknown[] = []
  const define = [{ name: 'job', plugins: ['QueueLock'], run: (inputs: unknown) => void runs.push(inputs) }]
  const tasks = await openTasks({ redis: redis.url, define }, t)
  await client.config('SET', 'maxmemory', '1')
  await assert.rejects(tasks.enqueue('job', {}), { code: 'AH_KIT_REDIS_REFUSED' })
  await client.config('SET', 'maxmemory', '0')
  assert.deepEqual(await tasks.locks(), {})
  // A queue's key that is none makes exactly the RPUSH fail.
  await client.set('resque:queue:broken', 'x')
  await assert.rejects(tasks.enqueue('job', {}, 'broken'))
  assert.deepEqual(await tasks.locks(), {}, 'what could not be put took no lock')

  assert.notEqual(await tasks.enqueue('job', { n: 1 }), false)
  const lock = 'resque:lock:job:default:[{"n":1}]'
  await client.del(lock)
  assert.notEqual(await tasks.enqueue('job', { n: 1 }), false)
  const [first] = await client.lrange('resque:queue:default', 0, -1)
  const second = await client.get(lock)
  await client.rpoplpush('resque:queue:default', 'resque:queue:later')
  const worker = await openTasks({ redis: redis.url, maxTaskProcessors: 1, queues: ['default'], define }, t)
  await until(() => runs.length === 1)
  await until(async () => (await worker.stats())['processed'] === '1')
  assert.ok(String(first).includes('"ah":'))
  assert.equal(await client.get(lock), second, "the first one's run left the second one's lock alone")
})

test('QueueLock: a job that is cancelled where it waits leaves no lock; a class whose time is no time refuses the enqueue', async (t) => {
  await client.flushall()
  class Timeless extends resque.Plugins.QueueLock {
    override lockTimeout(): number {
      return Number.NaN
    }
  }
  const define = [
    { name: 'job', plugins: ['QueueLock'], run() {} },
    { name: 'timeless', plugins: [Timeless as never], run() {} },
  ]
  const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 1, define }, t)
  await tasks.pause('default')
  const enqueued = await tasks.enqueue('job', { n: 1 })
  assert.equal(await tasks.cancel((enqueued as { id: string }).id), true)
  await tasks.resume('default')
  await until(async () => (await client.exists('resque:ah:cancelled')) === 0)
  assert.deepEqual(await tasks.locks(), {})
  assert.notEqual(await tasks.enqueue('job', { n: 1 }), false)
  const refused = { code: 'AH_TASKS_DEFINITION', message: /Timeless: lockTimeout\(\) is a number above 0, got NaN/ }
  await assert.rejects(tasks.enqueue('timeless', {}), refused)
})
