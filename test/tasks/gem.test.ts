// Ruby's Resque: what the gem wrote, as it was recorded, is understood, and what the gem was seen to read is what we write.
// fixtures/resque-gem/record.ts says how and with which versions it was recorded.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { FailedJob, JobContext } from 'fastify-ah-tasks'
import { startRedis, until } from 'fastify-ah-test-support'
import { ourTasks, plannedSecond, writeOurs } from './fixtures/resque-gem/ours.ts'
import { type Kept, restore, type Snapshot } from './fixtures/resque-gem/snapshot.ts'
import { type AnyTask, openTasks } from './open-tasks.ts'

/** What the gem read of ours, and what it left. */
interface Read {
  readonly queues: string[]
  readonly peeked: unknown[]
  readonly failedCount: number
  readonly failed: FailedJob[]
  readonly workers: string[]
  readonly working: [name: string, state: string, on: { queue: string; payload: unknown }][]
  readonly delayed: [second: number, jobs: unknown[]][]
  readonly put: Snapshot
  readonly ran: unknown[][]
  readonly left: Snapshot
}

interface Recorded {
  readonly written: Snapshot
  readonly failed: { readonly failed: Kept; readonly working: Snapshot }
  readonly read: Read
}

const redis = await startRedis({}, test)
const client = redis.client()
const file = new URL('../fixtures/resque-gem/recorded.json', import.meta.url)
const recorded = JSON.parse(await readFile(file, 'utf8')) as Recorded

/** Tasks under the names of the gem's classes, which note their arguments. */
function noting(seen: unknown[]): AnyTask[] {
  const run = (_: unknown, { args, queue }: JobContext): void => void seen.push([queue, args])
  return ['Note', 'Mailer::Welcome', 'Boom'].map((name) => ({ name, run }))
}

test('[47] jobs of the Ruby gem run, with all their arguments', async (t) => {
  await client.flushall()
  await restore(client, recorded.written)
  const seen: unknown[] = []
  const tasks = await openTasks(
    { redis: redis.url, maxTaskProcessors: 1, queues: ['ruby', 'mail'], define: noting(seen) },
    t,
  )
  await until(async () => (await tasks.stats())['processed'] === '4')
  assert.deepEqual(seen, [
    ['ruby', [1, { a: [], b: null }, 'x']],
    ['ruby', []],
    ['ruby', [[], {}]],
    ['mail', [{ to: 'Adé \u2028 😀', n: 1.5 }]],
  ])
  assert.deepEqual(await tasks.queued('high'), [{ class: 'Note', args: [Number('12345678901234567890')] }])
})

test('[47] a big integer of the gem stays what it is, through a failure and back', async (t) => {
  await client.flushall()
  await restore(client, recorded.written)
  const define = [{ name: 'Note', run: () => Promise.reject(new Error('no')) }]
  const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 1, queues: ['high'], define }, t)
  const raw = '{"class":"Note","args":[12345678901234567890]}'
  assert.deepEqual(recorded.written['resque:queue:high']?.value, [raw])
  await until(async () => (await tasks.failedCount()) === 1)
  await tasks.pause('high')
  const [entry] = await tasks.failed(0, -1)
  await tasks.retryAndRemoveFailed(entry!)
  assert.deepEqual(await client.lrange('resque:queue:high', 0, -1), [raw])
})

test('[47] what the gem planned runs when its time has come; a second that it left empty goes', async (t) => {
  await client.flushall()
  // The recorded second, long past.
  const text = JSON.stringify(recorded.written)
  await restore(client, JSON.parse(text.replaceAll(/41024448(0\d)/g, '10024448$1')))
  const seen: unknown[] = []
  const tasks = await openTasks(
    { redis: redis.url, maxTaskProcessors: 1, queues: ['later', 'none'], scheduler: true, define: noting(seen) },
    t,
  )
  await until(() => seen.length === 2)
  assert.deepEqual(seen, [
    ['later', ['planned']],
    ['later', ['planned']],
  ])
  await until(async () => (await tasks.timestamps()).length === 0)
  assert.deepEqual((await tasks.queued('mail')).at(-1), { class: 'Mailer::Welcome', args: ['by mail'], queue: 'mail' })
  assert.deepEqual(await client.keys('resque:timestamps:*'), [])
  assert.deepEqual(await client.keys('resque:delayed*'), [])
})

test('[47] failures and workers of the gem are shown, put back and cleaned', async (t) => {
  await client.flushall()
  await restore(client, recorded.failed.working)
  const tasks = await openTasks({ redis: redis.url, define: noting([]) }, t)
  const [name] = await client.smembers('resque:workers')
  const worker = String(name).replace(/:ruby$/, '')
  assert.deepEqual(await tasks.workers(), { [worker]: 'ruby' })
  const working = await tasks.workingOn(worker, 'ruby')
  assert.ok(working !== 'started')
  assert.deepEqual([working.queue, working.payload], ['ruby', { class: 'Look', args: ['now'] }])
  const own = { [`processed:${name}`]: '1', [`failed:${name}`]: '1' }
  assert.deepEqual(await tasks.stats(), { processed: '1', failed: '1', ...own })

  const [entry] = await tasks.failed(0, -1)
  assert.deepEqual(
    [entry?.queue, entry?.exception, entry?.error, entry?.payload.args],
    ['ruby', 'ArgumentError', 'no – "way"', [{ n: 1 }, []]],
  )
  assert.equal(await tasks.retryAndRemoveFailed(entry!), true)
  assert.deepEqual(await client.lrange('resque:queue:ruby', 0, -1), ['{"class":"Boom","args":[{"n":1},[]]}'])
  assert.equal(await tasks.failedCount(), 0)

  assert.deepEqual(Object.keys(await tasks.cleanOldWorkers(1_000)), [worker])
  assert.deepEqual(await tasks.workers(), {})
  assert.deepEqual((await tasks.failed(0, -1))[0]?.payload, { class: 'Look', args: ['now'] })
  assert.deepEqual(await client.keys(`resque:*${name}*`), [])
})

test('[47] what the gem put back of ours runs again, and its mark on the entry costs nothing', async (t) => {
  await client.flushall()
  await restore(client, recorded.read.put)
  await client.sadd('resque:queues', 'boom', 'later')
  const seen: unknown[] = []
  const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 1, define: noting(seen) }, t)
  await until(() => seen.length === 2)
  assert.deepEqual(seen, [
    ['boom', [{ n: 1 }]],
    ['later', ['planned']],
  ])
  await tasks.pause('boom')
  const [entry] = await tasks.failed(0, -1)
  assert.ok(entry !== undefined && 'retried_at' in entry)
  assert.equal(await tasks.retryAndRemoveFailed(entry), true)
  assert.deepEqual(await client.lrange('resque:queue:boom', 0, -1), [
    '{"class":"Boom","queue":"boom","args":[{"n":1}]}',
  ])
})

test('[47] what we write is what the gem was seen to read, run and leave alone', async (t) => {
  await client.flushall()
  const { define, letGo } = ourTasks()
  const two = { minTaskProcessors: 2, maxTaskProcessors: 2, queues: ['boom', 'hold'], leaseMs: 600 }
  const tasks = await openTasks({ redis: redis.url, ...two, define }, t)
  await writeOurs(tasks)
  const { read } = recorded
  const parsed = async (key: string): Promise<unknown[]> =>
    (await client.lrange(key, 0, -1)).map((one) => JSON.parse(one))
  assert.deepEqual(await tasks.queues(), read.queues)
  assert.deepEqual(await parsed('resque:queue:ours'), read.peeked)
  assert.deepEqual(read.ran, [[{ a: 1, list: [] }], ['tracked'], ['planned']])
  assert.deepEqual([[plannedSecond, await parsed(`resque:delayed:${plannedSecond}`)]], read.delayed)

  // What tells one process and time from another.
  const blurred = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll(/[\w.-]+~ah:\d+-[0-9a-f-]{36}\.\d+/g, 'somebody')
        .replaceAll(/\w{3} \w{3} \d\d \d{4} [^"]*/g, 'some time'),
    )
  const [failed] = await parsed('resque:failed')
  assert.deepEqual(blurred([failed]), blurred(read.failed))
  assert.deepEqual(Object.keys(failed as object), Object.keys(read.failed[0]!))
  assert.equal(read.failedCount, 1)

  const [worker] = await client.smembers('resque:workers')
  assert.deepEqual(blurred([worker]), blurred(read.workers))
  const on = JSON.parse(String(await client.get(`resque:worker:${worker}`)))
  assert.deepEqual(blurred([[worker, 'working', { queue: on.queue, payload: on.payload }]]), blurred(read.working))
  // Its pruning of dead workers, which ran beside ours on the same host, left it in place.
  assert.deepEqual(read.left['resque:workers']?.value, read.workers)
  letGo()
})
