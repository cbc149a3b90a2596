// Tasks that run in a thread: results, errors, progress, signals, and a loop that stays free.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { spawnNode, startRedis, until } from 'fastify-ah-test-support'
import { openApp, openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const file = new URL('./fixtures/heavy.js', import.meta.url)
const heavy = { name: 'heavy', thread: file }

test('it runs in another thread, with what the job is; here and now too', async (t) => {
  await client.flushall()
  const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 2, define: [heavy] }, t)
  await tasks.enqueue('heavy', { what: 'spin' }, { id: 'one', track: true })
  const result = (await tasks.waitFor('one')) as { threadId: number }
  assert.ok(result.threadId > 0)
  assert.deepEqual(
    { ...result, threadId: 1 },
    { threadId: 1, attempt: 1, id: 'one', queue: 'default', recovered: false },
  )
  assert.ok(((await tasks.run('heavy', { what: 'spin' })) as { threadId: number }).threadId > 0)
})

test('[32] a thread that computes for two leases keeps nobody from beating: its job runs once', async (t) => {
  await client.flushall()
  const leaseMs = 600
  const working = { redis: redis.url, leaseMs, maxTaskProcessors: 1, define: [heavy] }
  const [one, other] = [await openApp(working, t), await openApp(working, t)]
  const ended: string[] = []
  for (const app of [one, other]) {
    for (const name of ['start', 'success', 'lost'] as const) app.tasks.on(name, () => ended.push(name))
  }
  await one.tasks.enqueue('heavy', { what: 'spin', ms: 2 * leaseMs }, { id: 'spin', track: true })
  const result = (await one.tasks.waitFor('spin')) as { recovered: boolean }
  assert.equal(result.recovered, false)
  await until(async () => (await one.tasks.stats())['processed'] === '1')
  assert.deepEqual(ended, ['start', 'success'])
})

test('progress crosses over, and what cannot cross is refused there', async (t) => {
  await client.flushall()
  const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 1, define: [heavy] }, t)
  await tasks.enqueue('heavy', { what: 'progress' }, { id: 'p', track: true })
  assert.equal(await tasks.waitFor('p'), 'done')
  assert.equal((await tasks.track('p'))?.progress, 50)
})

test('what it throws is the failure, by name and message', async (t) => {
  await client.flushall()
  const nothing = { name: 'nothing', thread: fileURLToPath(new URL('./fixtures/no-function.js', import.meta.url)) }
  const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 2, define: [heavy, nothing] }, t)
  await tasks.enqueueMany([{ name: 'heavy', inputs: { what: 'throw' } }, { name: 'nothing' }])
  await until(async () => (await tasks.failedCount()) === 2)
  const failed = (await tasks.failed(0, -1)).map(({ exception, error }) => `${exception}: ${error}`).sort()
  assert.equal(failed[0], 'RangeError: too far')
  assert.match(String(failed[1]), /^TypeError: .*no-function\.js exports no function by default$/)
})

test('its signal aborts when its time is over; a thread that does not heed it is ended, and the next job has one', async (t) => {
  await client.flushall()
  const quick = { ...heavy, timeoutMs: 200 }
  const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 1, define: [quick] }, t)
  await tasks.enqueueMany([
    { name: 'heavy', inputs: { what: 'wait' } },
    { name: 'heavy', inputs: { what: 'spin', ms: 3_600_000 } },
    { name: 'heavy', inputs: { what: 'spin' }, options: { id: 'last', track: true, timeoutMs: 20_000 } },
  ])
  assert.equal(((await tasks.waitFor('last')) as { recovered: boolean }).recovered, false)
  const errors = (await tasks.failed(0, -1)).map(({ exception, error }) => `${exception} ${error}`)
  assert.equal(errors.length, 2)
  for (const error of errors) assert.match(error, /did not end within 200 ms/)
})

test('a stop does not wait for a thread longer than its grace', async (t) => {
  await client.flushall()
  const app = await openApp({ redis: redis.url, maxTaskProcessors: 1, graceMs: 50, define: [heavy] }, t)
  let starts = 0
  app.tasks.on('start', () => {
    starts += 1
  })
  await app.tasks.enqueue('heavy', { what: 'spin', ms: 3_600_000 })
  await until(() => starts === 1)
  await app.close()
  assert.equal(await client.llen('resque:queue:default'), 1, 'the job is back')
})

test('a definition with both, with neither, or with a file that there is not is an error', async (t) => {
  const open = (task: object) => openTasks({ redis: redis.url, define: [{ name: 'a', ...task } as never] }, t)
  const code = 'AH_TASKS_DEFINITION'
  await assert.rejects(open({}), { code, message: /run is missing/ })
  await assert.rejects(open({ thread: file, run() {} }), { code, message: /exclude each other/ })
  await assert.rejects(open({ thread: './none.js' }), { code, message: /there is no file \.\/none\.js/ })
  await assert.rejects(open({ thread: 1 }), { code, message: /path or the URL/ })
})

test('without piscina the app does not become ready, and says what is missing', async (t) => {
  const program = new URL('./programs/no-piscina.js', import.meta.url)
  const child = spawnNode(program, { args: [redis.url, file.href] }, t)
  assert.equal((await child.exited).code, 0)
  assert.equal(
    child.stdout(),
    'AH_TASKS_DEFINITION: a task with "thread" needs the package piscina: npm install piscina\n',
  )
})
