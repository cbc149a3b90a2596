// The command: what it prints, what it changes, and how it ends.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runNode, type SpawnedNode, spawnNode, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const program = new URL('./programs/cli.js', import.meta.url)
const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))

const run = (args: readonly string[], scope: TestScope, env: Record<string, string> = {}) =>
  runNode(program, { args, env }, scope)
const onRedis = (args: readonly string[], scope: TestScope) => run([...args, '--redis', redis.url], scope)

describe('queues', () => {
  test('enqueue puts a job, later ones too; list shows what there is', async (t) => {
    await client.flushall()
    assert.deepEqual(await onRedis(['enqueue', 'greet', '{"to":"Ada"}'], t), {
      code: 0,
      stdout: 'enqueued in default\n',
      stderr: '',
    })
    const flags = ['--queue', 'mails', '--id', 'one', '--track', '--json']
    assert.deepEqual(JSON.parse((await onRedis(['enqueue', 'greet', ...flags], t)).stdout), {
      id: 'one',
      queue: 'mails',
    })
    assert.equal((await onRedis(['enqueue', 'greet', '--in', '60000'], t)).code, 0)
    assert.equal((await onRedis(['enqueue', 'greet', '{"to":"Eve"}', '--at', '2100-01-01T00:00:00Z'], t)).code, 0)
    assert.equal((await onRedis(['pause', 'mails'], t)).stdout, 'nobody takes from mails now\n')
    const { stdout } = await onRedis(['list'], t)
    assert.match(stdout, /^queue {4}waiting {2}parked\ndefault {8}1 {7}0\nmails {10}1 {7}0 {2}paused\n/)
    assert.match(stdout, /planned 2, failed 0, processed 0/)
    const details = JSON.parse((await onRedis(['list', '--json'], t)).stdout)
    assert.deepEqual(details.queues.mails, { length: 1, parked: 0, paused: true })
    assert.equal((await onRedis(['list', 'default'], t)).stdout, '0  greet {"to":"Ada"}\n')
    assert.equal((await onRedis(['resume', 'mails'], t)).stdout, 'mails is worked again\n')
    assert.equal(await client.scard('resque:ah:paused'), 0)
  })

  test('a list shows a part, and says how many more there are', async (t) => {
    await client.flushall()
    const tasks = await openTasks({ redis: redis.url, define: [{ name: 'n', run() {} }] }, t)
    await tasks.enqueueMany([1, 2, 3, 4].map((inputs) => ({ name: 'n', inputs })))
    assert.equal(
      (await onRedis(['list', 'default', '--from', '1', '--count', '2'], t)).stdout,
      '1  n 2\n2  n 3\nand 1 more\n',
    )
  })
})

describe('failures', () => {
  test('failed lists them by place; retry takes some, or all of a task, and says how many', async (t) => {
    await client.flushall()
    const define = ['a', 'b'].map((name) => ({ name, run: () => Promise.reject(new Error(`${name} says no`)) }))
    const tasks = await openTasks({ redis: redis.url, maxTaskProcessors: 1, queues: ['first'], define }, t)
    for (const name of ['a', 'b', 'a', 'a']) await tasks.enqueue(name, {}, 'first')
    await until(async () => (await tasks.failedCount()) === 4)
    await tasks.pause('first')
    const { stdout } = await onRedis(['failed'], t)
    assert.match(stdout, /^0 .* first {2}a {2}Error: a says no\n1 .* first {2}b {2}Error: b says no\n2 /)
    assert.equal(JSON.parse((await onRedis(['failed', '--json'], t)).stdout).length, 4)
    assert.deepEqual(await onRedis(['retry', '1', '2'], t), { code: 0, stdout: '2 enqueued again\n', stderr: '' })
    assert.deepEqual(
      (await tasks.queued('first')).map((job) => job.class),
      ['b', 'a'],
    )
    assert.equal((await onRedis(['retry', '--all', '--task', 'b'], t)).code, 1)
    assert.equal((await onRedis(['retry', '--all', '--task', 'a', '--json'], t)).stdout, '{"retried":2}\n')
    assert.equal(await tasks.failedCount(), 0)
  })
})

describe('work', () => {
  const start = (args: readonly string[], scope: TestScope): SpawnedNode =>
    spawnNode(program, { args: ['work', ...args, '--redis', redis.url] }, scope)

  for (const [what, args] of [
    ['a folder', ['--tasks', fixture('worked'), '--max', '2']],
    ['an app file', [fixture('worked-app.js'), '--max', '2']],
  ] as const) {
    test(`[43] ${what}: until a signal, then it ends what it has, a second signal notwithstanding`, async (t) => {
      await client.flushall()
      const tasks = await openTasks({ redis: redis.url, define: [{ name: 'greet', run() {} }] }, t)
      const child = start(args, t)
      await child.waitForLine(/works until/)
      await tasks.enqueue('greet', { to: 'Ada', ms: 500 })
      await child.waitForLine(/begins Ada/)
      child.kill('SIGTERM')
      child.kill('SIGTERM')
      const { code } = await child.exited
      assert.equal(code, 0)
      assert.match(child.stdout(), /greeted Ada/)
      assert.deepEqual([(await tasks.stats())['processed'], await tasks.length('default')], ['1', 0])
      assert.deepEqual(await tasks.workers(), {})
    })
  }

  test('an app without tasks, or a file that there is not, is a clear error', async (t) => {
    const idle = await onRedis(['work', fixture('idle-app.js')], t)
    assert.deepEqual([idle.code, idle.stdout], [2, ''])
    assert.match(idle.stderr, /does not register fastify-ah-tasks/)
    const none = await onRedis(['work', fixture('none.js')], t)
    assert.equal(none.code, 1)
    assert.match(none.stderr, /Cannot find module/)
    const folder = await onRedis(['work', '--tasks', fixture('none')], t)
    assert.equal(folder.code, 1)
    assert.match(folder.stderr, /the folder of tasks .* cannot be read/)
  })
})

test('a wrong command line is exit code 2 and says what is expected', async (t) => {
  const cases: [readonly string[], RegExp][] = [
    [[], /expected a command: list, enqueue/],
    [['lst'], /did you mean "list"/],
    [['enqueue'], /enqueue needs the name of a task/],
    [['enqueue', 'a', '{'], /the inputs are no JSON/],
    [['enqueue', 'a', '--in', 'soon'], /--in expects a whole number, got "soon"/],
    [['enqueue', 'a', '--at', 'soon'], /--at expects a time/],
    [['enqueue', 'a', '--queue', 'a,b'], /AH_TASKS_QUEUE/],
    [['list', '--track'], /--track does not belong to list/],
    [['retry'], /retry needs the places/],
    [['retry', 'x'], /expects a whole number, got "x"/],
    [['pause'], /pause needs a queue/],
    [['work'], /work needs an app file, or --tasks/],
    [['list', '--nonsense'], /Unknown option '--nonsense'/],
    [['list', '--namespace', 'a b'], /namespace/],
  ]
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await onRedis(args, t)
    assert.deepEqual([code, stdout], [2, ''], args.join(' '))
    assert.match(stderr, expected)
  }
  const noUrl = await run(['list', '--redis', 'localhost:6379'], t)
  assert.deepEqual([noUrl.code, /expected a URL such as/.test(noUrl.stderr)], [2, true])
  const nowhere = await run(['list'], t)
  assert.deepEqual([nowhere.code, /Give --redis or set REDIS_URL/.test(nowhere.stderr)], [2, true])
})

test('help says what there is; REDIS_URL is taken from the environment; Redis away is one clear line', async (t) => {
  for (const args of [['--help'], ['help'], ['list', '-h']]) {
    const { code, stdout } = await run(args, t)
    assert.equal(code, 0)
    assert.match(stdout, /fastify-ah tasks work --tasks <folder>/)
  }
  assert.equal((await run(['list'], t, { REDIS_URL: redis.url })).code, 0)
  const away = await run(['list', '--redis', 'redis://127.0.0.1:1'], t)
  assert.deepEqual([away.code, away.stdout], [1, ''])
  assert.match(away.stderr, /^fastify-ah tasks: .*AH_KIT_REDIS_BOOT.*\n$/)
})
