// What is carried along for those who watch: a trace context, and the time from which a job waits; and who is told of it.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import { test } from 'node:test'
import fastify from 'fastify'
import { type EnqueueTrace, fastifyAhTasks, type JobEvent, type JobTrace, type TasksOptions } from 'fastify-ah-tasks'
import { atEnd, startRedis, type TestScope, until } from 'fastify-ah-test-support'

const redis = await startRedis({}, test)
let namespaces = 0

async function opened(scope: TestScope, options: TasksOptions = {}) {
  const lines: Record<string, unknown>[] = []
  const app = fastify({ logger: { level: 'info', stream: { write: (text) => void lines.push(JSON.parse(text)) } } })
  atEnd(scope, () => app.close())
  namespaces += 1
  const namespace = `watched-${namespaces}`
  const common = { redis: redis.url, namespace, maxTaskProcessors: 0, scheduler: false, leaseMs: 1_000 }
  await app.register(fastifyAhTasks, { ...common, ...options })
  const lists = (queue: string) =>
    redis.command('LRANGE', `${namespace}:queue:${queue}`, '0', '-1') as Promise<string[]>
  return { app, lists, lines, namespace }
}

/** Listens for as long as the test runs. */
function listen<Message>(scope: TestScope, name: string, listener: (message: Message) => void): void {
  const one = channel(`tracing:fastify-ah-tasks:${name}`)
  const heard = (message: unknown): void => listener(message as Message)
  one.subscribe(heard)
  atEnd(scope, () => void one.unsubscribe(heard))
}

test('a job carries what a subscriber writes at its enqueue, also through a retry, and its run is surrounded', async (t) => {
  const inside = new AsyncLocalStorage<string>()
  const context = { traceparent: '00-aa-bb-01', 'x-request-id': 'req-7' }
  listen<EnqueueTrace>(t, 'enqueue:start', ({ carrier }) => void Object.assign(carrier, context))
  listen<JobTrace>(t, 'job:start', ({ carrier, surround }) =>
    surround((work) => inside.run(carrier?.['traceparent'] ?? 'none', work)),
  )
  const { app, lines } = await opened(t, { maxTaskProcessors: 1, scheduler: true })
  const runs: unknown[] = []
  app.tasks.define({
    name: 'looks',
    retry: { attempts: 2, backoffMs: 1, jitter: 0 },
    run: async (inputs, { attempt, log }) => {
      await Promise.resolve()
      log.info('looked')
      runs.push([attempt, inputs, inside.getStore()])
      if (attempt === 1) throw new Error('again')
    },
  })
  await app.ready()
  assert.deepEqual(await app.tasks.enqueue('looks', { a: 1 }), { queue: 'default' })
  await until(() => runs.length === 2)
  await app.tasks.enqueueMany([{ name: 'looks', inputs: { b: 2 } }])
  await until(() => runs.length === 4)
  assert.deepEqual(runs, [
    [1, { a: 1 }, '00-aa-bb-01'],
    [2, { a: 1 }, '00-aa-bb-01'],
    [1, { b: 2 }, '00-aa-bb-01'],
    [2, { b: 2 }, '00-aa-bb-01'],
  ])
  const looked = lines.filter(({ msg }) => msg === 'looked')
  assert.deepEqual(new Set(looked.map(({ reqId }) => reqId)), new Set(['req-7']))
})

test('what nobody writes into, planned jobs and jobs that are too much to carry stay as Resque has them', async (t) => {
  const { app, lists, namespace } = await opened(t)
  app.tasks.define({ name: 'bare', run: () => undefined })
  await app.ready()
  const bare = '{"class":"bare","queue":"default","args":[{}]}'
  await app.tasks.enqueue('bare')
  listen<EnqueueTrace>(t, 'enqueue:start', ({ carrier }) => void Object.assign(carrier, { long: 'x'.repeat(513) }))
  await app.tasks.enqueue('bare')
  assert.deepEqual(await lists('default'), [bare, bare])
  listen<EnqueueTrace>(t, 'enqueue:start', ({ carrier }) => void Object.assign(carrier, { traceparent: '00' }))
  app.tasks.sampleWaits(1)
  await app.tasks.enqueueIn(60_000, 'bare', {})
  const [second] = (await redis.command('ZRANGE', `${namespace}:delayed_queue_schedule`, '0', '-1')) as string[]
  assert.deepEqual(await redis.command('LRANGE', `${namespace}:delayed:${second}`, '0', '-1'), [bare])
  await app.tasks.enqueue('bare')
  const [carrying] = (await lists('default')).slice(2)
  assert.match(
    carrying ?? '',
    /^\{"class":"bare","queue":"default","args":\[\{\}\],"ah":\{"v":1,"id":"[\w-]+","at":\d+,"carrier"/,
  )
})

test('one job a queue and period carries its time, by which its wait and that of the oldest are known', async (t) => {
  const { app, lists } = await opened(t)
  app.tasks.define({ name: 'waits', run: () => undefined })
  await app.ready()
  app.tasks.sampleWaits(60_000)
  const other = { queue: 'other' }
  for (const options of [{}, {}, other, {}]) await app.tasks.enqueue('waits', {}, options)
  const timed = async (queue: string) => (await lists(queue)).map((text) => /"at":\d{13}/.test(text))
  assert.deepEqual(await timed('default'), [true, false, false])
  assert.deepEqual(await timed('other'), [true])
  await app.tasks.enqueue('waits', {}, { queue: 'bare', front: true })
  app.tasks.sampleWaits(0)
  await app.tasks.enqueue('waits', {}, { queue: 'untimed', id: 'has-meta' })
  await app.tasks.enqueue('waits', { ah: { v: 1, at: 1 } }, { queue: 'looks-like-it' })
  await until(async () => ((await app.tasks.waiting())['default']?.oldestMs ?? 0) > 20)
  const waiting = await app.tasks.waiting()
  assert.ok((waiting['other']?.oldestMs ?? 0) >= 20)
  assert.ok((waiting['default']?.oldestMs ?? Number.POSITIVE_INFINITY) < 60_000)
  assert.deepEqual(waiting['untimed'], { length: 1, parked: 0, paused: false, oldestMs: undefined })
  assert.equal(waiting['looks-like-it']?.oldestMs, undefined)
  await app.tasks.delQueue('default')
  assert.equal((await app.tasks.waiting())['default'], undefined)
})

test('a job behind bare ones is found from the head on, and far behind large ones not at all', async (t) => {
  const { app } = await opened(t)
  app.tasks.define({ name: 'waits', run: () => undefined })
  await app.ready()
  const many = Array.from({ length: 500 }, () => ({
    name: 'waits',
    inputs: { queue: 'many' },
    options: { queue: 'many' },
  }))
  await app.tasks.enqueueMany(many)
  const large = Array.from({ length: 3 }, () => ({
    name: 'waits',
    inputs: { text: 'x'.repeat(100_000) },
    options: { queue: 'large' },
  }))
  await app.tasks.enqueueMany(large)
  app.tasks.sampleWaits(1)
  await app.tasks.enqueue('waits', {}, { queue: 'many' })
  await app.tasks.enqueue('waits', {}, { queue: 'large' })
  const { many: found, large: lost } = await app.tasks.waiting()
  assert.equal(typeof found?.oldestMs, 'number')
  assert.equal(found?.length, 501)
  assert.equal(lost?.oldestMs, undefined)
})

test('an event tells of each job that was put, one of its start how long it waited', async (t) => {
  const { app } = await opened(t, { maxTaskProcessors: 1 })
  const heard: [string, JobEvent][] = []
  for (const name of ['enqueue', 'start'] as const) app.tasks.on(name, (event) => heard.push([name, event]))
  app.tasks.define({ name: 'one', run: () => undefined })
  app.tasks.define({ name: 'hooked', middleware: ['no'], run: () => undefined })
  app.tasks.addMiddleware({
    name: 'no',
    global: false,
    preEnqueue: ({ args }) => (args[0] as { yes?: true }).yes === true,
  })
  await app.ready()
  app.tasks.sampleWaits(60_000)
  await app.tasks.enqueue('one', { a: 1 }, { id: 'first' })
  await app.tasks.enqueue('hooked', { no: true })
  await app.tasks.enqueueMany([{ name: 'hooked', inputs: { yes: true } }, { name: 'hooked' }, { name: 'one' }])
  await app.tasks.enqueue('one', {}, { dedupe: { key: 'k', ttlMs: 60_000 } })
  await app.tasks.enqueue('one', {}, { dedupe: { key: 'k', ttlMs: 60_000 } })
  const of = (name: string) =>
    heard.filter(([kind]) => kind === name).map(([, { task, id }]) => [task, id !== undefined])
  await until(() => of('start').length === 4)
  assert.deepEqual(of('enqueue'), [
    ['one', true],
    ['hooked', false],
    ['one', false],
    ['one', true],
  ])
  const [first, second, third] = heard.filter(([name]) => name === 'start').map(([, event]) => event.waitedMs)
  assert.ok(first !== undefined && first >= 0 && first < 30_000)
  assert.equal(second, undefined, 'the turn of the queue was the one before')
  assert.equal(third, undefined)
})
