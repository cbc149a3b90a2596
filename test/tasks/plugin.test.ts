// The plugin: options, definitions, roles, scopes, what it says at boot.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import fastify from 'fastify'
import { lifecycleOf } from 'fastify-ah-kit'
import { fastifyAhTasks, type TasksOptions } from 'fastify-ah-tasks'
import plugin from 'fastify-ah-tasks/plugin'
import { atEnd, startRedis, type TestScope, tempDir, until } from 'fastify-ah-test-support'
import { openApp } from './open-tasks.ts'

const redis = await startRedis({}, test)

const noop = { name: 'noop', run: () => undefined }

function bare(scope: TestScope) {
  const app = fastify()
  atEnd(scope, () => app.close())
  return app
}

async function refusal(scope: TestScope, options: object): Promise<string> {
  const app = bare(scope)
  const error = await app.register(fastifyAhTasks, { redis: redis.url, ...options } as TasksOptions).then(
    () => undefined,
    (thrown: Error & { code: string }) => thrown,
  )
  assert.equal(error?.code, 'AH_TASKS_OPTIONS')
  return error?.message ?? ''
}

test('a wrong option is an error that names it, an old name the new one', async (t) => {
  assert.match(
    await refusal(t, { maxTaskProcesors: 1 }),
    /unknown option "maxTaskProcesors", did you mean "maxTaskProcessors"\?/,
  )
  assert.match(await refusal(t, { timeout: 5 }), /option "timeout" is now called "pollMs"/)
  assert.match(await refusal(t, { leaseMs: 'long' }), /option "leaseMs": expected integer, got "long"/)
  assert.match(await refusal(t, { queues: [] }), /option "queues": expected a list of names/)
  assert.match(await refusal(t, { minTaskProcessors: 5, maxTaskProcessors: 2 }), /minTaskProcessors \(5\) is more than/)
})

test('a definition is refused that is incomplete, a duplicate, or too late', async (t) => {
  const app = bare(t)
  await app.register(fastifyAhTasks, { redis: redis.url, scheduler: false, maxTaskProcessors: 0 })
  const refused = (definition: object, message: RegExp) =>
    assert.throws(() => app.tasks.define(definition as never), { code: 'AH_TASKS_DEFINITION', message })
  refused({ name: 'a' }, /run is missing/)
  refused({ run: () => 1 }, /name is a text/)
  refused({ ...noop, frequency: 5 }, /"frequency" is now frequencyMs/)
  refused({ ...noop, frequncyMs: 5 }, /unknown member "frequncyMs"/)
  refused({ ...noop, frequencyMs: 0 }, /frequencyMs is a whole number/)
  refused({ ...noop, cron: 'now and then' }, /cron "now and then" cannot be read/)
  refused({ ...noop, cron: '* * * * *', timezone: 'Mars/Base' }, /cannot be read/)
  refused({ ...noop, cron: '* * * * *', frequencyMs: 5 }, /exclude each other/)
  refused({ ...noop, retry: { attempts: 0 } }, /retry\.attempts/)
  refused({ ...noop, retry: { attempts: 2, jitter: 7 } }, /retry\.jitter/)
  refused({ ...noop, concurrency: { max: 0 } }, /concurrency\.max/)
  refused(
    { ...noop, concurrency: { max: 1, keys: () => 'a' } },
    /unknown member "concurrency\.keys", there are: max, key/,
  )
  refused({ ...noop, retry: { attempts: 2, backoff: 9 } }, /unknown member "retry\.backoff"/)
  refused({ ...noop, retry: { attempts: 2, factor: Number.POSITIVE_INFINITY } }, /retry\.factor/)
  refused({ ...noop, schema: { body: {} } }, /unknown member "schema\.body"/)
  refused({ ...noop, cron: '* * * * *', timezone: 5 }, /timezone is the name of one/)
  refused({ ...noop, timeoutMs: 2 ** 31 }, /timeoutMs is a whole number of ms from 1 to 2147483647/)
  refused(
    { ...noop, pluginOptions: { JobLock: { enqueueTimeout: 'soon' } } },
    /JobLock\.enqueueTimeout is a number above 0/,
  )
  refused({ ...noop, pluginOptions: { QueueLock: { lockTimeout: -1 } } }, /QueueLock\.lockTimeout/)
  refused({ ...noop, pluginOptions: { Retry: { backoffStrategy: [-1] } } }, /Retry\.backoffStrategy is a list of ms/)
  refused({ ...noop, pluginOptions: { Retry: 3 } }, /pluginOptions is an object/)
  refused(null as never, /a definition is an object/)
  assert.throws(() => app.tasks.define({ ...noop, queue: 'a,b' }), { code: 'AH_TASKS_QUEUE' })
  app.tasks.define(noop)
  const other = bare(t)
  await other.register(fastifyAhTasks, { redis: redis.url, scheduler: false, maxTaskProcessors: 0 })
  other.tasks.define({ ...noop, schema: { inputs: { type: 'objekt' } } } as never)
  await assert.rejects(async () => other.ready(), { code: 'AH_TASKS_DEFINITION', message: /its schema cannot be used/ })
  refused(noop, /noop is defined twice/)
  await app.ready()
  refused({ ...noop, name: 'late' }, /after the app was ready/)
})

test('queues that a function answers are checked as those of a list', async (t) => {
  const start = async (queues: () => unknown): Promise<unknown> => {
    const app = bare(t)
    await app.register(fastifyAhTasks, { redis: redis.url, maxTaskProcessors: 1, queues: queues as never })
    return app.ready()
  }
  await assert.rejects(
    start(() => 'mails'),
    { code: 'AH_TASKS_OPTIONS', message: /a list of names, got "mails"/ },
  )
  await assert.rejects(
    start(() => undefined),
    { code: 'AH_TASKS_OPTIONS', message: /got undefined/ },
  )
  await assert.rejects(
    start(async () => []),
    { code: 'AH_TASKS_OPTIONS', message: /got an empty list/ },
  )
  await assert.rejects(
    start(() => ['a,b']),
    { code: 'AH_TASKS_QUEUE' },
  )
})

test('a drain that comes while the app is still getting ready leaves nobody at work', async (t) => {
  const app = bare(t)
  let answer = (_: string[]): void => undefined
  const answered = new Promise<string[]>((resolve) => {
    answer = resolve
  })
  let isAsked = false
  const queues = (): Promise<string[]> => {
    isAsked = true
    return answered
  }
  const namespace = 'drained'
  await app.register(fastifyAhTasks, { redis: redis.url, namespace, scheduler: false, maxTaskProcessors: 1, queues })
  const ready = app.ready()
  await until(() => isAsked)
  await lifecycleOf(app).drain()
  answer(['default'])
  await ready
  assert.deepEqual(await app.tasks.workers(), {})
  assert.deepEqual(await redis.client().keys('drained:ah:processors'), [])
})

test('a listener that throws, at once or later, is logged, and keeps the event from nobody else', async (t) => {
  const app = bare(t)
  await app.register(fastifyAhTasks, { redis: redis.url, namespace: 'heard', scheduler: false, maxTaskProcessors: 1 })
  app.tasks.define(noop)
  const heard: string[] = []
  const unhandled: unknown[] = []
  const count = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', count)
  atEnd(t, () => void process.off('unhandledRejection', count))
  app.tasks.on('success', () => {
    throw new Error('at once')
  })
  app.tasks.on('success', async () => {
    throw new Error('later')
  })
  const listener = (): void => void heard.push('twice')
  app.tasks.on('success', listener)
  const stop = app.tasks.on('success', listener)
  assert.throws(() => app.tasks.on('done' as never, listener), { code: 'AH_TASKS_OPTIONS', message: /no event "done"/ })
  assert.throws(() => app.tasks.on('success', 5 as never), { code: 'AH_TASKS_OPTIONS', message: /expected a function/ })
  await app.ready()
  await app.tasks.enqueue('noop')
  await until(() => heard.length === 2)
  stop()
  await app.tasks.enqueue('noop')
  await until(async () => (await app.tasks.stats())['processed'] === '2')
  assert.deepEqual([heard.length, unhandled], [3, []])
})

test('a task runs with the scope in which it was defined, and can be enqueued from any', async (t) => {
  const app = bare(t)
  const seen: unknown[] = []
  await app.register(fastifyAhTasks, { redis: redis.url, namespace: 'scopes', scheduler: false, maxTaskProcessors: 1 })
  await app.register(async (scope) => {
    scope.decorate('secret', 42)
    scope.tasks.define({
      name: 'scoped',
      run: (_: unknown, context) => void seen.push((context.app as never)['secret']),
    })
  })
  await app.ready()
  await app.tasks.enqueue('scoped')
  await until(() => seen.length === 1)
  assert.deepEqual(seen, [42])
})

test('tasks come from a folder, one or several a file', async (t) => {
  const { path } = tempDir(t)
  writeFileSync(join(path, 'one.mjs'), `export default { name: 'one', run: () => 1 }`)
  writeFileSync(
    join(path, 'more.cjs'),
    `exports.two = { name: 'two', run: () => 2 }; exports.three = { name: 'three', run: () => 3 }`,
  )
  writeFileSync(join(path, 'more.test.mjs'), `throw new Error('a test is no task')`)
  writeFileSync(join(path, 'read.me'), 'not a module')
  const { tasks } = await openApp({ redis: redis.url, tasks: path }, t)
  assert.deepEqual(await Promise.all([tasks.run('one'), tasks.run('two'), tasks.run('three')]), [1, 2, 3])
  const wrong = async (file: string, text: string, message: RegExp) => {
    const folder = tempDir(t).path
    writeFileSync(join(folder, file), text)
    await assert.rejects(openApp({ redis: redis.url, tasks: [folder] }, t), { code: 'AH_TASKS_DEFINITION', message })
  }
  await wrong('a.mjs', 'export const x = 1', /a\.mjs exports no task/)
  await wrong('b.mjs', 'throw new Error("broken")', /b\.mjs cannot be loaded: broken/)
  await wrong('c.mjs', `export default { name: 'c', run: 7 }`, /c\.mjs: .*run is missing/)
  await assert.rejects(openApp({ redis: redis.url, tasks: join(path, 'nowhere') }, t), { code: 'AH_TASKS_DEFINITION' })
})

test('several in one app have names and namespaces of their own, and are found by others', async (t) => {
  const app = bare(t)
  const common = { redis: redis.url, scheduler: false, maxTaskProcessors: 0 }
  await app.register(fastifyAhTasks, common)
  await app.register(plugin, { ...common, namespace: 'mails', decorator: 'mails' })
  await assert.rejects(async () => app.register(plugin, { ...common, decorator: 'mails' }), {
    code: 'AH_TASKS_OPTIONS',
    message: /"mails" is taken/,
  })
  const found = (app as unknown as Record<symbol, Map<string, unknown>>)[Symbol.for('fastify-ah.tasks')]
  assert.deepEqual([...found!.keys()], ['tasks', 'mails'])
})

test('an app that is closed before it was ready, or twice, ends', async () => {
  const app = fastify()
  await app.register(fastifyAhTasks, { redis: redis.url })
  await Promise.all([app.close(), app.close()])
})

test('[10] a Redis that evicts is warned of at boot', async (t) => {
  const own = await startRedis({ config: { maxmemory: '50mb', 'maxmemory-policy': 'allkeys-lru' } }, t)
  const lines: string[] = []
  const app = fastify({ logger: { level: 'warn', stream: { write: (line: string) => void lines.push(line) } } })
  atEnd(t, () => app.close())
  await app.register(fastifyAhTasks, { redis: own.url, scheduler: false, maxTaskProcessors: 0 })
  assert.match(lines.join(''), /Redis evicts keys when its memory is full, jobs too/)
})
