// Middleware around enqueues and runs, as in ActionHero 29.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HookContext, TaskMiddleware } from 'fastify-ah-tasks'
import { startRedis, until } from 'fastify-ah-test-support'
import { openApp, openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()

/** A middleware that says when each of its hooks was called. */
function speaker(name: string, said: string[], more: Partial<TaskMiddleware> = {}): TaskMiddleware {
  const say = (hook: string) => () => void said.push(`${name} ${hook}`)
  return {
    name,
    preProcessor: say('pre'),
    postProcessor: say('post'),
    preEnqueue: say('preEnqueue'),
    postEnqueue: say('postEnqueue'),
    ...more,
  }
}

test('global middleware comes by priority, then what the task names; others are not asked', async (t) => {
  await client.flushall()
  const said: string[] = []
  const tasks = await openTasks(
    {
      redis: redis.url,
      maxTaskProcessors: 1,
      middleware: [
        speaker('own', said),
        speaker('usual', said, { global: true }),
        speaker('late', said, { global: true, priority: 200 }),
        speaker('early', said, { global: true, priority: 1 }),
        speaker('unasked', said),
      ],
      define: [{ name: 'job', middleware: ['own'], run: () => void said.push('run') }],
    },
    t,
  )
  assert.deepEqual(await tasks.enqueue('job'), { queue: 'default' })
  await until(async () => (await tasks.stats())['processed'] === '1')
  const order = ['early', 'usual', 'late', 'own']
  const enqueued = ['preEnqueue', 'postEnqueue'].flatMap((hook) => order.map((name) => `${name} ${hook}`))
  assert.deepEqual(
    said.filter((words) => words.includes('Enqueue')),
    enqueued,
  )
  assert.deepEqual(
    said.filter((words) => !words.includes('Enqueue')),
    [...order.map((name) => `${name} pre`), 'run', ...order.map((name) => `${name} post`)],
  )
})

test('a preEnqueue that answers false: nothing is enqueued, nobody later is asked; it may change the inputs', async (t) => {
  await client.flushall()
  const said: string[] = []
  const gate = {
    name: 'gate',
    global: true,
    preEnqueue(this: HookContext, { args }: HookContext) {
      assert.equal(this.func, 'job')
      const inputs = args[0] as { ok?: boolean; seen?: boolean }
      inputs.seen = true
      return inputs.ok
    },
  }
  const tasks = await openTasks(
    {
      redis: redis.url,
      middleware: [gate, speaker('later', said, { global: true })],
      define: [{ name: 'job', run() {} }],
    },
    t,
  )
  const given = { ok: true }
  assert.equal(await tasks.enqueue('job', { ok: false }), false)
  assert.equal(await tasks.enqueueIn(60_000, 'job', { ok: false }), false)
  assert.deepEqual(said, [])
  assert.deepEqual(
    await tasks.enqueueMany([
      { name: 'job', inputs: { ok: false } },
      { name: 'job', inputs: given },
    ]),
    [false, { queue: 'default' }],
  )
  assert.deepEqual(said, ['later preEnqueue', 'later postEnqueue'])
  assert.deepEqual(
    (await tasks.queued('default')).map(({ args }) => args),
    [[{ ok: true, seen: true }]],
  )
  assert.deepEqual(given, { ok: true }, "the caller's own inputs are not touched")
  assert.deepEqual(await tasks.timestamps(), [])
})

test('a preProcessor that answers false: the job does not run, and is neither a success nor a failure', async (t) => {
  await client.flushall()
  const ended: string[] = []
  let runs = 0
  const app = await openApp(
    {
      redis: redis.url,
      maxTaskProcessors: 1,
      middleware: [{ name: 'no', preProcessor: () => false }],
      define: [
        {
          name: 'job',
          middleware: ['no'],
          run: () => {
            runs += 1
          },
        },
      ],
    },
    t,
  )
  for (const name of ['skipped', 'success', 'failure', 'cancelled'] as const) app.tasks.on(name, () => ended.push(name))
  await app.tasks.enqueue('job', {}, { id: 'one', track: true })
  await until(() => ended.length === 1)
  assert.deepEqual(ended, ['skipped'])
  assert.equal(runs, 0)
  assert.equal((await app.tasks.track('one'))?.state, 'cancelled')
  assert.deepEqual(await client.lrange('resque:failed', 0, -1), [])
  assert.equal((await app.tasks.stats())['processed'], undefined)
})

test('hooks of one job share a worker, and see its result or its error; a postProcessor may take the error away', async (t) => {
  await client.flushall()
  const seen: unknown[] = []
  const middleware: TaskMiddleware = {
    name: 'timer',
    global: true,
    preProcessor: ({ worker, args }) => {
      worker['startedAt'] = (args[0] as { n: number }).n
    },
    postProcessor: ({ worker, args }) => {
      seen.push([worker['startedAt'], worker.result, (worker.error as Error | undefined)?.message])
      if ((args[0] as { forgive?: boolean }).forgive) delete worker.error
    },
  }
  const run = ({ n, fails }: { n: number; fails?: boolean }): number => {
    if (fails) throw new Error(`no ${n}`)
    return n * 2
  }
  const tasks = await openTasks(
    { redis: redis.url, maxTaskProcessors: 8, middleware: [middleware], define: [{ name: 'job', run }] },
    t,
  )
  await tasks.enqueueMany([
    { name: 'job', inputs: { n: 1 } },
    { name: 'job', inputs: { n: 2, fails: true } },
    { name: 'job', inputs: { n: 3, fails: true, forgive: true } },
  ])
  await until(async () => (await tasks.stats())['processed'] === '2' && (await tasks.failedCount()) === 1)
  const [one, two, three] = seen.toSorted((a, b) => Number((a as unknown[])[0]) - Number((b as unknown[])[0]))
  assert.deepEqual(
    [one, two, three],
    [
      [1, 2, undefined],
      [2, undefined, 'no 2'],
      [3, undefined, 'no 3'],
    ],
  )
  assert.equal((await tasks.failed(0, -1))[0]?.error, 'no 2')
})

test('middleware that throws: before an enqueue the caller hears it, around a run it is the failure of the job', async (t) => {
  await client.flushall()
  const throwing = (name: string, hook: string): TaskMiddleware => ({
    name,
    [hook]: () => {
      throw new Error(`${hook} says no`)
    },
  })
  let runs = 0
  const tasks = await openTasks(
    {
      redis: redis.url,
      maxTaskProcessors: 1,
      middleware: [throwing('a', 'preEnqueue'), throwing('b', 'preProcessor'), throwing('c', 'postProcessor')],
      define: [
        {
          name: 'enqueue',
          middleware: ['a'],
          run: () => {
            runs += 1
          },
        },
        {
          name: 'before',
          middleware: ['b'],
          run: () => {
            runs += 1
          },
        },
        {
          name: 'after',
          middleware: ['c'],
          run: () => {
            runs += 1
          },
        },
      ],
    },
    t,
  )
  await assert.rejects(tasks.enqueue('enqueue'), /preEnqueue says no/)
  await tasks.enqueue('before')
  await tasks.enqueue('after')
  await until(async () => (await tasks.failedCount()) === 2)
  const errors = (await tasks.failed(0, -1)).map(({ error }) => error).sort()
  assert.deepEqual(errors, ['postProcessor says no', 'preProcessor says no'])
  assert.equal(runs, 1)
})

test('a middleware without a name, twice, with what it cannot have, unknown to a task, or too late is an error', async (t) => {
  const code = { code: 'AH_TASKS_DEFINITION' }
  const open = (middleware: readonly unknown[], names: readonly string[] = []) =>
    openApp(
      {
        redis: redis.url,
        middleware: middleware as TaskMiddleware[],
        define: [{ name: 'job', middleware: names, run() {} }],
      },
      t,
    )
  await assert.rejects(open([{ name: '' }]), code)
  await assert.rejects(open([{ name: 'a' }, { name: 'a' }]), { ...code, message: /already/ })
  await assert.rejects(open([{ name: 'a', preprocessor() {} }]), { ...code, message: /unknown member "preprocessor"/ })
  await assert.rejects(open([{ name: 'a', preProcessor: 1 }]), { ...code, message: /preProcessor is a function/ })
  await assert.rejects(open([], ['none']), { ...code, message: /no middleware none/ })
  const app = await open([{ name: 'a' }], ['a'])
  assert.throws(() => app.tasks.addMiddleware({ name: 'b' }), { ...code, message: /after the app was ready/ })
})
