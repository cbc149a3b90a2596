// node-resque's plugins on our engine: by name, its own classes, classes on top of them, and a user's own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskPluginClass } from 'fastify-ah-tasks'
import { startRedis, until } from 'fastify-ah-test-support'
import resque from 'node-resque'
import { openApp, openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const { Plugins, Plugin } = resque
const classOf = (plugin: unknown): TaskPluginClass => plugin as TaskPluginClass

for (const [how, plugin] of [
  ['by name', 'JobLock'],
  ["node-resque's class", classOf(Plugins.JobLock)],
] as const) {
  test(`JobLock (${how}): of the same job one runs at a time, the others come again; other inputs do not wait`, async (t) => {
    await client.flushall()
    let running = 0
    let most = 0
    let done = 0
    const others: unknown[] = []
    const letGo: (() => void)[] = []
    const run = async ({ n }: { n: number }): Promise<void> => {
      if (n !== 1) return void others.push(n)
      running += 1
      most = Math.max(most, running)
      await new Promise<void>((resolve) => letGo.push(resolve))
      running -= 1
      done += 1
    }
    const define = [{ name: 'job', plugins: [plugin], pluginOptions: { JobLock: { enqueueTimeout: 50 } }, run }]
    const tasks = await openTasks(
      { redis: redis.url, maxTaskProcessors: 5, minTaskProcessors: 5, scheduler: true, define },
      t,
    )
    await tasks.enqueueMany([1, 1, 1, 2].map((n) => ({ name: 'job', inputs: { n } })))
    await until(() => others.length === 1 && running === 1)
    const locks = await tasks.locks()
    assert.deepEqual(Object.keys(locks), ['workerslock:job:default:[{"n":1}]'])
    for (let expected = 1; expected <= 3; expected += 1) {
      await until(() => letGo.length === 1)
      letGo.shift()?.()
      await until(() => done === expected)
    }
    assert.equal(most, 1)
    await until(async () => (await tasks.stats())['processed'] === '4')
    assert.deepEqual(await tasks.locks(), {})
    assert.equal(await tasks.failedCount(), 0)
  })

  test(`JobLock (${how}) with reEnqueue: false lets the second one go`, async (t) => {
    await client.flushall()
    const letGo: (() => void)[] = []
    const run = (): Promise<void> => new Promise<void>((resolve) => letGo.push(resolve))
    const define = [{ name: 'job', plugins: [plugin], pluginOptions: { JobLock: { reEnqueue: false } }, run }]
    const app = await openApp({ redis: redis.url, maxTaskProcessors: 2, minTaskProcessors: 2, define }, t)
    let skipped = 0
    app.tasks.on('skipped', () => {
      skipped += 1
    })
    await app.tasks.enqueueMany([{ name: 'job' }, { name: 'job' }])
    await until(() => letGo.length === 1 && skipped === 1)
    letGo[0]?.()
    await until(async () => (await app.tasks.stats())['processed'] === '1')
    assert.equal(await app.tasks.length('default'), 0)
    assert.deepEqual(await app.tasks.timestamps(), [])
  })
}

test('a class on top of JobLock says by which key, and for how long', async (t) => {
  await client.flushall()
  class PerUser extends Plugins.JobLock {
    override key(): string {
      return this.worker.connection.key('workerslock', 'user', (this.args[0] as { user: string }).user)
    }
    override lockTimeout(): number {
      return 2
    }
  }
  const letGo: (() => void)[] = []
  const run = (): Promise<void> => new Promise<void>((resolve) => letGo.push(resolve))
  const define = [{ name: 'job', plugins: [classOf(PerUser)], run }]
  const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 1, define }, t)
  await tasks.enqueue('job', { user: 'ada', n: 1 })
  await until(() => letGo.length === 1)
  assert.deepEqual(Object.keys(await tasks.locks()), ['workerslock:user:ada'])
  // Longer than it may be held it is not renewed, though the job still runs.
  await until(async () => Object.keys(await tasks.locks()).length === 0, { deadlineMs: 5_000 })
  letGo[0]?.()
  await until(async () => (await tasks.stats())['processed'] === '1')
})

test('DelayQueueLock: what is planned already is not enqueued', async (t) => {
  await client.flushall()
  const define = [{ name: 'job', plugins: ['DelayQueueLock'], run() {} }]
  const tasks = await openTasks({ redis: redis.url, define }, t)
  assert.notEqual(await tasks.enqueueIn(60_000, 'job', { n: 1 }), false)
  assert.equal(await tasks.enqueue('job', { n: 1 }), false)
  assert.equal(await tasks.enqueueIn(90_000, 'job', { n: 1 }), false)
  assert.notEqual(await tasks.enqueue('job', { n: 2 }), false)
  assert.notEqual(await tasks.enqueueIn(60_000, 'job', { n: 3 }, { id: 'mine' }), false)
  assert.equal(await tasks.enqueue('job', { n: 3 }), false)
})

test('Retry: so many tries in all, with its waits between them, counted for each job', async (t) => {
  await client.flushall()
  const tries: string[] = []
  const run = ({ n }: { n: number }, { attempt }: { attempt: number }): void => {
    tries.push(`${n}:${attempt}`)
    throw new Error('no')
  }
  const pluginOptions = { Retry: { retryLimit: 3, backoffStrategy: [20, 40] } }
  const define = [
    { name: 'named', plugins: ['Retry'], pluginOptions, run },
    { name: 'class', plugins: [classOf(Plugins.Retry)], pluginOptions, run },
  ]
  const app = await openApp({ redis: redis.url, maxTaskProcessors: 4, scheduler: true, define }, t)
  let retries = 0
  app.tasks.on('retry', () => {
    retries += 1
  })
  await app.tasks.enqueueMany([
    { name: 'named', inputs: { n: 1 } },
    { name: 'named', inputs: { n: 1 } },
    { name: 'class', inputs: { n: 2 } },
  ])
  await until(async () => (await app.tasks.failedCount()) === 3)
  assert.deepEqual(tries.sort(), ['1:1', '1:1', '1:2', '1:2', '1:3', '1:3', '2:1', '2:2', '2:3'])
  assert.equal(retries, 6)
  assert.deepEqual(await client.keys('resque:*retry*'), [])
})

test('Noop lets errors pass as successes', async (t) => {
  await client.flushall()
  const logged: unknown[] = []
  const pluginOptions = { Noop: { logger: (error: unknown) => void logged.push(error) } }
  const run = () => Promise.reject(new Error('never mind'))
  const tasks = await openTasks(
    { redis: redis.url, maxTaskProcessors: 1, define: [{ name: 'job', plugins: ['Noop'], pluginOptions, run }] },
    t,
  )
  await tasks.enqueue('job')
  await until(async () => (await tasks.stats())['processed'] === '1')
  assert.equal((logged[0] as Error).message, 'never mind')
  assert.equal(await tasks.failedCount(), 0)
})

test("a user's own class on node-resque's Plugin: all four hooks, its options, the queue and Redis behind them", async (t) => {
  await client.flushall()
  const said: unknown[] = []
  class Mine extends Plugin {
    async beforeEnqueue(): Promise<boolean> {
      said.push(['beforeEnqueue', this.func, this.queue, this.args, this.options])
      return true
    }
    async afterEnqueue(): Promise<boolean> {
      said.push(['afterEnqueue', await this.queueObject.length(this.queue)])
      return true
    }
    async beforePerform(): Promise<boolean> {
      const { redis: own, key } = this.queueObject.connection
      await own.incr(key('mine', this.func))
      said.push(['beforePerform', this.worker.job.class])
      return true
    }
    async afterPerform(): Promise<boolean> {
      said.push(['afterPerform', this.worker.result, this.worker.error?.message])
      if (this.worker.error) {
        delete this.worker.error
        await this.queueObject.enqueue(this.queue, 'other', [1, 2])
      }
      return true
    }
  }
  const others: unknown[] = []
  const define = [
    {
      name: 'job',
      plugins: [classOf(Mine)],
      pluginOptions: { Mine: { why: 'because' } },
      run: () => Promise.reject(new Error('no')),
    },
    { name: 'other', run: (_: unknown, { args }: { args: readonly unknown[] }) => void others.push(args) },
  ]
  const tasks = await openTasks({ redis: redis.url, define }, t)
  await tasks.enqueue('job', { n: 1 })
  const worker = await openTasks({ redis: redis.url, maxTaskProcessors: 1, define }, t)
  await until(async () => (await worker.stats())['processed'] === '2')
  assert.deepEqual(said, [
    ['beforeEnqueue', 'job', 'default', [{ n: 1 }], { why: 'because' }],
    ['afterEnqueue', 1],
    ['beforePerform', 'job'],
    ['afterPerform', undefined, 'no'],
  ])
  assert.deepEqual(others, [[1, 2]])
  assert.equal(await client.get('resque:mine:job'), '1')
})

test('a plugin that there is not is an error', async (t) => {
  const open = (plugins: readonly unknown[]) =>
    openTasks({ redis: redis.url, define: [{ name: 'job', plugins: plugins as string[], run() {} }] }, t)
  await assert.rejects(open(['JobLok']), { code: 'AH_TASKS_DEFINITION', message: /did you mean JobLock/ })
  await assert.rejects(open([{}]), { code: 'AH_TASKS_DEFINITION', message: /names and classes/ })
})
