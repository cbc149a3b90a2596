// node-resque on the same Redis: its queue, its worker and its scheduler beside ours.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { identity } from 'fastify-ah-kit'
import { atEnd, scaled, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { Redis } from 'ioredis'
import resque from 'node-resque'
import { openApp, openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()

type Connection = { redis: never; namespace: string }

function connectionOf(scope: TestScope): Connection {
  const own = new Redis(redis.url)
  atEnd(scope, () => own.disconnect())
  return { redis: own as never, namespace: 'resque' }
}

async function queueOf(scope: TestScope): Promise<resque.Queue> {
  const queue = new resque.Queue({ connection: connectionOf(scope) })
  await queue.connect()
  return queue
}

test('[47] what node-resque enqueues we run, with all its arguments', async (t) => {
  await client.flushall()
  const seen: unknown[] = []
  const define = [{ name: 'see', run: (_: unknown, { args }: { args: readonly unknown[] }) => void seen.push(args) }]
  const queue = await queueOf(t)
  await openTasks({ redis: redis.url, maxTaskProcessors: 2, scheduler: true, define }, t)
  await queue.enqueue('theirs', 'see', [1, { a: [] }, 'x'])
  await queue.enqueue('theirs', 'see', [])
  await until(() => seen.length === 2, { deadlineMs: 10_000 })
  assert.deepEqual(seen, [[1, { a: [] }, 'x'], []])
  await queue.enqueueIn(1, 'theirs', 'see', ['later'])
  await until(() => seen.length === 3, { deadlineMs: 10_000 })
  assert.deepEqual(seen[2], ['later'])
  assert.equal((await queue.stats())['processed'], '3')
  assert.deepEqual(await queue.timestamps(), [])
  assert.deepEqual(await client.keys('resque:timestamps:*'), [])
})

test('[47] what we enqueue is byte for byte what node-resque writes, and its worker runs it', async (t) => {
  await client.flushall()
  const define = [{ name: 'add', queue: 'sums', run: () => undefined }]
  const tasks = await openTasks({ redis: redis.url, define }, t)
  const queue = await queueOf(t)
  await tasks.enqueue('add', { a: 1, list: [] })
  await queue.enqueue('sums', 'add', [{ a: 1, list: [] }])
  const [ours, theirs] = await client.lrange('resque:queue:sums', 0, -1)
  assert.equal(ours, theirs)
  await tasks.enqueue('add', { a: 2 }, { track: true, id: 'two' })
  const seen: unknown[] = []
  const jobs = { add: { perform: async (input: unknown) => void seen.push(input) } }
  const worker = new resque.Worker({ connection: connectionOf(t), queues: ['sums'], timeout: 20, name: 'w:1' }, jobs)
  await worker.connect()
  await worker.start()
  await until(() => seen.length === 3, { deadlineMs: 10_000 })
  await worker.end()
  assert.deepEqual(seen, [{ a: 1, list: [] }, { a: 1, list: [] }, { a: 2 }])
})

test('[47] its queue reads our delayed, failed, workers and stats', async (t) => {
  await client.flushall()
  let letGo = (): void => undefined
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const define = [
    { name: 'fail', run: () => Promise.reject(new TypeError('no way')) },
    { name: 'hold', run: () => held },
  ]
  const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 2, leaseMs: 600, define }, t)
  const queue = await queueOf(t)
  const at = Math.ceil(Date.now() / 1000) * 1000 + 60_400
  await tasks.enqueueAt(at, 'fail', { a: 1 })
  assert.deepEqual(await queue.scheduledAt('default', 'fail', [{ a: 1 }]), [Math.round(at / 1000)])
  assert.deepEqual(await queue.timestamps(), [Math.round(at / 1000) * 1000])
  await assert.rejects(tasks.enqueueAt(at, 'fail', { a: 1 }), { code: 'AH_TASKS_DUPLICATE' })
  assert.equal(await tasks.enqueueAt(at, 'fail', { a: 1 }, {}, true), false)
  assert.deepEqual(await queue.delDelayed('default', 'fail', [{ a: 1 }]), [Math.round(at / 1000)])

  await tasks.enqueue('fail', { n: 1 })
  await until(async () => (await queue.failedCount()) === 1)
  const [entry] = await queue.failed(0, -1)
  assert.deepEqual(
    [entry?.queue, entry?.exception, entry?.error, entry?.payload],
    ['default', 'TypeError', 'no way', { class: 'fail', queue: 'default', args: [{ n: 1 }] }],
  )
  assert.ok(Array.isArray(entry?.backtrace) && entry.backtrace.length > 0)
  await tasks.pause('default')
  await queue.retryAndRemoveFailed(entry as never)
  assert.deepEqual(await tasks.queued('default'), [{ class: 'fail', queue: 'default', args: [{ n: 1 }] }])
  assert.equal(await tasks.failedCount(), 0)
  await tasks.resume('default')
  await until(async () => (await queue.failedCount()) === 1)
  assert.equal(await queue.removeFailed((await queue.failed(0, -1))[0] as never), 1)

  await tasks.enqueue('hold')
  const workers = await queue.workers()
  const [name] = Object.keys(workers)
  assert.match(String(name), new RegExp(`~ah:${identity().pid}-`))
  assert.deepEqual(Object.values(workers), ['*'])
  await until(async () => typeof (await queue.allWorkingOn())[String(name)] === 'object')
  const working = (await queue.allWorkingOn())[String(name)] as { payload: { class: string } }
  assert.equal(working.payload.class, 'hold')
  assert.deepEqual(Object.values(await tasks.allWorkingOn()), [working])
  // It has run for longer than the age by which others are taken for dead; each beat says that it has just begun.
  const heldAt = Date.now()
  await until(() => Date.now() - heldAt > 1_200)
  assert.deepEqual(await queue.cleanOldWorkers(1_000), {})
  letGo()
  await until(async () => (await queue.stats())['processed'] === '1')
  assert.deepEqual(await queue.stats(), { processed: '1', failed: '2' })
})

test('[46c] its worker works the queues that we work: each job runs once, whoever gets it, and none fails', async (t) => {
  await client.flushall()
  const ran: [string, number][] = []
  const ours = { name: 'note', run: (n: number) => sleep(1).then(() => void ran.push(['ours', n])) }
  const options = { redis: redis.url, scheduler: true, leaseMs: 600 }
  const tasks = await openTasks({ ...options, maxTaskProcessors: 2, define: [ours] as never }, t)
  const jobs = { note: { perform: async (n: number) => void ran.push(['theirs', n]) } } as never
  const worker = new resque.Worker({ connection: connectionOf(t), queues: ['default'], timeout: 5, name: 'w:2' }, jobs)
  worker.on('failure', (_queue, _job, failure) => assert.fail(failure))
  worker.on('error', (error) => assert.fail(error))
  await worker.connect()
  await worker.start()
  const count = scaled(4_000, 400)
  for (let n = 0; n < count; n += 1) {
    if (n % 3 === 0) await tasks.enqueue('note', n, { delayMs: 20, id: `job ${n}` })
    else await tasks.enqueue('note', n)
  }
  await until(() => ran.length >= count, { deadlineMs: 20_000 })
  await until(async () => Number((await tasks.stats())['processed']) === count)
  await worker.end()
  assert.deepEqual(
    ran.map(([, n]) => n).sort((a, b) => a - b),
    Array.from({ length: count }, (_, n) => n),
  )
  assert.deepEqual(new Set(ran.map(([who]) => who)), new Set(['ours', 'theirs']))
  assert.equal(await tasks.failedCount(), 0)
})

test('[46c] its scheduler stays passive beside ours, and takes over when ours ends', async (t) => {
  await client.flushall()
  const app = await openApp({ redis: redis.url, scheduler: true, maxTaskProcessors: 1 }, t)
  await until(async () => (await app.tasks.details()).leader !== null)
  const scheduler = new resque.Scheduler({ connection: connectionOf(t), timeout: 20, name: 'theirs' })
  let leads = 0
  let polls = 0
  scheduler.on('leader', () => {
    leads += 1
  })
  scheduler.on('cleanStuckWorker', () => assert.fail('it cleaned a worker'))
  await scheduler.connect()
  // Private to it: each of its rounds begins with this.
  const inside = scheduler as unknown as { tryForLeader: () => Promise<boolean> }
  const tried = inside.tryForLeader.bind(scheduler)
  inside.tryForLeader = () => {
    polls += 1
    return tried()
  }
  await scheduler.start()
  await until(() => polls > 10)
  assert.equal(leads, 0)
  await app.close()
  await until(() => leads === 1)
  await scheduler.end()
})
