// What is logged, at which level, and what is told to those who trace.
import assert from 'node:assert/strict'
import { tracingChannel } from 'node:diagnostics_channel'
import { test } from 'node:test'
import fastify from 'fastify'
import { type EnqueueTrace, fastifyAhTasks, type JobTrace, type TasksOptions } from 'fastify-ah-tasks'
import { atEnd, startRedis, type TestScope, until } from 'fastify-ah-test-support'

const redis = await startRedis({}, test)

interface Line {
  readonly level: number
  readonly msg: string
  readonly [name: string]: unknown
}

let namespaces = 0

async function logged(scope: TestScope, options: TasksOptions, level = 'debug') {
  const lines: Line[] = []
  const stream = { write: (text: string) => void lines.push(JSON.parse(text)) }
  const app = fastify({ logger: { level, stream } })
  atEnd(scope, () => app.close())
  namespaces += 1
  const common = {
    redis: redis.url,
    namespace: `logs-${namespaces}`,
    maxTaskProcessors: 1,
    scheduler: false,
    leaseMs: 1_000,
  }
  await app.register(fastifyAhTasks, { ...common, ...options })
  app.tasks.define({ name: 'fine', run: () => 'result' })
  app.tasks.define({ name: 'fails', run: () => Promise.reject(new TypeError('no')) })
  await app.ready()
  const of = (msg: string) => lines.filter((line) => line.msg === msg)
  return { app, lines, of }
}

test('each event is logged at its level, with the task, its queue and what came of it', async (t) => {
  const { app, of } = await logged(t, {})
  await app.tasks.enqueue('fine', { a: 1 }, { id: 'one', queue: 'mine' })
  await app.tasks.enqueue('fails', { b: 2 })
  await until(() => of('a job failed').length === 1 && of('a job succeeded').length === 1)
  const [success] = of('a job succeeded')
  const { level, task, queue, job, attempt, args, result } = success!
  assert.deepEqual(
    { level, task, queue, job, attempt, args, result },
    { level: 30, task: 'fine', queue: 'mine', job: 'one', attempt: 1, args: [{ a: 1 }], result: 'result' },
  )
  const [failure] = of('a job failed')
  assert.equal(failure!.level, 50)
  assert.equal((failure!['err'] as { message: string }).message, 'no')
  assert.deepEqual(new Set(of('a job begins').map(({ level }) => level)), new Set([20]))
  await app.close()
  assert.equal(of('works jobs from now on')[0]?.level, 30)
  assert.equal(of('works no more jobs')[0]?.level, 30)
})

test('levels are the user’s, by ActionHero’s names too; inputs that are filtered are not shown', async (t) => {
  const options = {
    workerLogging: { success: 'notice', failure: 'warning', job: 'silent' },
    schedulerLogging: { enqueue: 'info' },
    filteredParams: ['password'],
  }
  const { app, lines, of } = await logged(t, options)
  await app.tasks.enqueue('fine', { user: { password: 'secret', list: [{ password: 1 }] }, name: 'Ada' })
  await app.tasks.enqueue('fails')
  await until(() => of('a job failed').length === 1 && of('a job succeeded').length === 1)
  assert.deepEqual([of('a job succeeded')[0]?.level, of('a job failed')[0]?.level], [30, 40])
  assert.deepEqual(of('a job begins'), [])
  assert.deepEqual(of('a job succeeded')[0]?.['args'], [
    { user: { password: '[FILTERED]', list: [{ password: '[FILTERED]' }] }, name: 'Ada' },
  ])
  assert.ok(!JSON.stringify(lines).includes('secret'))
  for (const wrong of [
    { workerLogging: { succes: 'info' } },
    { workerLogging: { success: 'loud' } },
    { schedulerLogging: [] },
  ]) {
    await assert.rejects(logged(t, wrong as never), { code: 'AH_TASKS_OPTIONS' })
  }
})

test('who is idle says so, whoever looks for jobs or due times too, each at a level of its own', async (t) => {
  const options = {
    scheduler: true,
    pollMs: 50,
    workerLogging: { pause: 'info', poll: 'warn' },
    schedulerLogging: { poll: 'info', working_timestamp: 'warn', transferred_job: 'error' },
  }
  const { app, of } = await logged(t, options)
  await until(() => of('there is no job, waits to be woken').length > 0 && of('looks for jobs unasked').length > 1)
  assert.deepEqual(of('there is no job, waits to be woken')[0]?.['queues'], [])
  assert.deepEqual(
    [of('there is no job, waits to be woken')[0]?.level, of('looks for jobs unasked')[0]?.level],
    [30, 40],
  )
  const second = Math.floor(Date.now() / 1_000) - 5
  await app.tasks.enqueueAt(second * 1_000, 'fine')
  await until(() => of('a job succeeded').length === 1)
  const [time] = of('the time of planned jobs has come')
  assert.deepEqual([time?.level, time?.['timestamp']], [40, second * 1_000])
  const [moved] = of('jobs that are due were moved into their queues')
  assert.deepEqual([moved?.level, moved?.['jobs']], [50, 1])
  assert.equal(of('looks for what is due')[0]?.level, 30)
})

test('verbose shows at info what is at debug', async (t) => {
  const { app, of } = await logged(t, { verbose: true }, 'info')
  await app.tasks.enqueue('fine')
  await until(() => of('a job begins').length === 1)
  assert.equal(of('a job begins')[0]?.level, 30)
})

test('who traces hears of enqueues and runs, with what came of them', async (t) => {
  const seen: [string, string, unknown][] = []
  const listen = <Context extends { task: string }>(name: string) => {
    const channel = tracingChannel<string, Context>(`fastify-ah-tasks:${name}`)
    const subscriber = {
      start: ({ task }: Context) => void seen.push([name, task, 'start']),
      asyncEnd: (context: Context & { result?: unknown; error?: unknown }) =>
        void seen.push([name, context.task, context.error instanceof Error ? context.error.message : context.result]),
      end: () => undefined,
      asyncStart: () => undefined,
      error: () => undefined,
    }
    channel.subscribe(subscriber as never)
    atEnd(t, () => channel.unsubscribe(subscriber as never))
  }
  listen<JobTrace>('job')
  listen<EnqueueTrace>('enqueue')
  const { app, of } = await logged(t, {})
  await app.tasks.enqueue('fine')
  await until(() => of('a job succeeded').length === 1)
  await app.tasks.enqueue('fails')
  await until(() => of('a job failed').length === 1)
  assert.deepEqual(
    seen.filter(([name]) => name === 'job'),
    [
      ['job', 'fine', 'start'],
      ['job', 'fine', 'result'],
      ['job', 'fails', 'start'],
      ['job', 'fails', 'no'],
    ],
  )
  assert.deepEqual(
    seen.filter(([name]) => name === 'enqueue').map(([, task, what]) => [task, what]),
    [
      ['fine', 'start'],
      ['fine', { queue: 'default' }],
      ['fails', 'start'],
      ['fails', { queue: 'default' }],
    ],
  )
})
