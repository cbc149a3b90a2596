// Who wakes up, and when: a job starts at once on a processor that works its queue.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { atEnd, random, scaled, startProxy, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'
import { startWorker } from './workers.ts'

const redis = await startRedis({}, test)
const client = redis.client()
// A poll would come long after the deadlines of these tests.
const options = { redis: redis.url, pollMs: 30_000, maxTaskProcessors: 1 }
const soonMs = 5_000

test('[46a] of three idle processors the one that works the queue starts the job at once', async (t) => {
  await client.flushall()
  const seen: string[] = []
  const open = (queue: string) =>
    openTasks({ ...options, queues: [queue], define: [{ name: 'note', run: () => void seen.push(queue) }] }, t)
  const [tasks] = await Promise.all([open('a'), open('b'), open('c')])
  for (const queue of ['c', 'a', 'b', 'b', 'c', 'a']) {
    // Asleep: the poll of none is near.
    await sleep(30)
    await tasks.enqueue('note', {}, queue)
    await until(() => seen.length > 0, { deadlineMs: soonMs })
    assert.deepEqual(seen.splice(0), [queue])
  }
})

test('[46a] a processor that was killed in its sleep swallows no wake-up', async (t) => {
  await client.flushall()
  const sleepers = await Promise.all(
    [1, 2, 3].map(() => startWorker(redis.url, { pollMs: 30_000, leaseMs: 60_000 }, t)),
  )
  const seen: unknown[] = []
  const tasks = await openTasks({ ...options, define: [{ name: 'work', run: (n: unknown) => void seen.push(n) }] }, t)
  for (const sleeper of sleepers) sleeper.kill('SIGKILL')
  await Promise.all(sleepers.map(({ exited }) => exited))
  // Redis has noticed, their offers still stand: what is handed to them lies in their mail, and is taken back.
  await until(async () => /^blocked_clients:1\r$/m.test(await client.info('clients')))
  for (let n = 0; n < 5; n += 1) {
    await tasks.enqueue('work', n)
    await until(() => seen.length === n + 1, { deadlineMs: soonMs })
  }
})

/** A processor that Redis takes for awake: what it is told goes nowhere. `beside`: it runs a job, and has room for another. */
async function openDeaf({ beside }: { beside: boolean }, t: TestScope): Promise<void> {
  const proxy = await startProxy({ target: redis }, t)
  let isBusy = false
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const run = (): Promise<void> => {
    isBusy = true
    return held
  }
  const size = { minTaskProcessors: 2, maxTaskProcessors: 2, graceMs: 10 }
  const define = [{ name: 'hold', run }]
  const tasks = await openTasks({ ...options, ...size, redis: proxy.url, queues: ['own', 'default'], define }, t)
  // Ends in time all the same, but not soon.
  atEnd(t, () => {
    release()
    proxy.pass()
    proxy.cut()
  })
  if (beside) {
    await tasks.enqueue('hold', {}, 'own')
    await until(() => isBusy)
  }
  // Asleep, and past the exchange that follows a hand-over.
  await until(async () => /^blocked_clients:[1-9]\d*\r$/m.test(await client.info('clients')))
  await sleep(50)
  proxy.swallow()
}

test('[46a] a wake-up that Redis gave to a connection without anybody behind it is given again', async (t) => {
  await client.flushall()
  for (let n = 0; n < 3; n += 1) await openDeaf({ beside: true }, t)
  const seen: unknown[] = []
  const run = (n: unknown): void => void seen.push(n)
  const tasks = await openTasks({ ...options, scheduler: true, define: [{ name: 'work', run }] as never }, t)
  await sleep(50)
  // Two at once wake by a token, which goes to who has waited longest.
  await tasks.enqueueMany([1, 2].map((inputs) => ({ name: 'work', inputs })))
  await until(() => seen.length === 2, { deadlineMs: soonMs })
  await tasks.enqueueIn(1, 'work', 3)
  await until(() => seen.length === 3, { deadlineMs: soonMs })
})

test('[46a] a job that was handed to a process that does not hear it runs elsewhere when its lease has ended', async (t) => {
  await client.flushall()
  const seen: unknown[] = []
  const run = (n: unknown): void => void seen.push(n)
  const producer = await openTasks({ redis: redis.url, define: [{ name: 'work', run }] as never }, t)
  await openDeaf({ beside: false }, t)
  await producer.enqueue('work', 1)
  assert.equal(await client.llen('resque:queue:default'), 0)
  await openTasks({ ...options, define: [{ name: 'work', run }] as never }, t)
  await until(() => seen.length === 1, { deadlineMs: 10_000 })
  assert.deepEqual(seen, [1])
})

test('[46a] a job enqueued in the very instant of falling asleep does not wait for the poll', async (t) => {
  await client.flushall()
  let resolve = (): void => undefined
  const run = (): void => resolve()
  const tasks = await openTasks({ ...options, define: [{ name: 'note', run }] }, t)
  const producer = await openTasks({ redis: redis.url, define: [{ name: 'note', run }] }, t)
  for (let round = 0; round < scaled(5_000, 150); round += 1) {
    const done = new Promise<void>((settle) => {
      resolve = settle
    })
    await (round % 2 ? tasks : producer).enqueue('note')
    let isDone = false
    void done.then(() => {
      isDone = true
    })
    await until(() => isDone, { deadlineMs: soonMs, what: `job ${round} has run` })
    // Any instant between "it settles" and "it sleeps".
    const end = performance.now() + random() * 2
    while (performance.now() < end) await new Promise((next) => setImmediate(next))
  }
})

test('jobs that one processor leaves behind wake the next', async (t) => {
  await client.flushall()
  const busy = new Set<number>()
  let go = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const open = (n: number) =>
    openTasks(
      {
        ...options,
        define: [
          {
            name: 'hold',
            run: () => {
              busy.add(n)
              return gate
            },
          },
        ],
      },
      t,
    )
  const [tasks] = await Promise.all([open(1), open(2), open(3)])
  await tasks.enqueueMany([1, 2, 3, 4].map(() => ({ name: 'hold' })))
  await until(() => busy.size === 3, { deadlineMs: soonMs })
  go()
  await until(async () => (await tasks.stats())['processed'] === '4', { deadlineMs: soonMs })
})

test('a queue that comes into being is worked at once by who works all', async (t) => {
  await client.flushall()
  const seen: unknown[] = []
  const tasks = await openTasks({ ...options, define: [{ name: 'note', run: (n: unknown) => void seen.push(n) }] }, t)
  for (let n = 0; n < 10; n += 1) {
    // Asleep: the queue shall come into being while nothing is looked for.
    await sleep(10)
    await tasks.enqueue('note', n, `queue ${n}`)
    await until(() => seen.length === n + 1, { deadlineMs: soonMs })
  }
})

test('what a program that does not wake us puts into a queue is found by the poll', async (t) => {
  await client.flushall()
  const seen: unknown[] = []
  const run = (n: unknown): void => void seen.push(n)
  await openTasks({ ...options, pollMs: 100, define: [{ name: 'note', run }] }, t)
  await client.sadd('resque:queues', 'foreign')
  await client.rpush('resque:queue:foreign', '{"class":"note","queue":"foreign","args":[7]}')
  await until(() => seen.length === 1, { deadlineMs: soonMs })
})

test('jobs of a megabyte each come in several exchanges, and all of them come', async (t) => {
  await client.flushall()
  const seen: number[] = []
  const run = ({ n }: { n: number }): void => void seen.push(n)
  const many = { redis: redis.url, pollMs: 30_000, minTaskProcessors: 30, maxTaskProcessors: 30 }
  const tasks = await openTasks({ redis: redis.url, define: [{ name: 'big', run }] as never }, t)
  await tasks.enqueueMany(
    Array.from({ length: 30 }, (_, n) => ({ name: 'big', inputs: { n, fill: 'x'.repeat(2 ** 20) } })),
  )
  await openTasks({ ...many, define: [{ name: 'big', run }] as never }, t)
  await until(() => seen.length === 30, { deadlineMs: 10_000 })
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    Array.from({ length: 30 }, (_, n) => n),
  )
})
