// What docs/deployment.md promises of things that have no file of their own in examples/deploy.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readFileSync, truncateSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort, httpGet, spawnNode, tempDir, until } from 'fastify-ah-test-support'
import { appFile } from './app-file.ts'
import { command, fixture, getJson, startCluster } from './running.ts'

const PAGE = new URL('../../../docs/deployment.md', import.meta.url)
const page = readFileSync(PAGE, 'utf8')

test('every file that the page names is there, and every file that is there is named', () => {
  const named = [...page.matchAll(/\]\((\.\.\/examples\/deploy\/[^)]+)\)/g)].map(([, path]) => path!)
  assert.ok(named.length >= 7, named.join(' '))
  for (const path of named) assert.ok(existsSync(fileURLToPath(new URL(path, PAGE))), path)
})

test('crash trackers: the page’s listener has the error, waits for its tracker, and the worker is replaced', async (t) => {
  const [, listener] = /## Crash trackers\n[\s\S]*?```js\n([\s\S]*?)```/.exec(page)!
  const app = appFile(t, {
    'app.mjs': `${listener!}
      export default async (app) => {
        app.get('/', async () => ({ pid: process.pid }))
        app.get('/throw', async () => void setImmediate(() => { throw new RangeError('no luck') }))
        app.get('/reject', async () => void Promise.reject(new TypeError('no promise')))
      }\n`,
    'tracker.js': `
      import { appendFileSync } from 'node:fs'
      import { setTimeout as sleep } from 'node:timers/promises'
      export async function report(error) {
        // A tracker that takes its time, as one does that sends the error somewhere.
        await sleep(200)
        appendFileSync(new URL('./reported', import.meta.url), error.message + '\\n')
      }\n`,
    'package.json': '{ "type": "module" }',
  })
  const cluster = await startCluster({ app, workers: 1, unhandledErrors: 'counted' }, t)
  for (const path of ['/throw', '/reject']) {
    const { pid } = await getJson<{ pid: number }>(cluster.target, '/')
    await httpGet(cluster.target, { path })
    await cluster.untilServing({ count: 1, not: [pid] })
  }
  assert.equal(readFileSync(join(dirname(app), 'reported'), 'utf8'), 'no luck\nno promise\n')
  assert.match(cluster.node.stderr(), /RangeError: no luck\n +at /)
})

test('crash trackers: a monitor sees the error, and the primary’s log has it too', async (t) => {
  const app = appFile(t, {
    'app.mjs': `
      process.on('uncaughtExceptionMonitor', (error) => console.log('tracked ' + error.message))
      export default async (app) => {
        app.get('/throw', async () => void setImmediate(() => { throw new RangeError('no luck') }))
      }\n`,
  })
  const cluster = await startCluster({ app, workers: 1, unhandledErrors: 'counted' }, t)
  const before = cluster.workers()
  await httpGet(cluster.target, { path: '/throw' })
  await cluster.untilServing({ count: 1, not: before })
  assert.ok(cluster.node.lines().includes('tracked no luck'))
  const died = cluster.log().find(({ msg }) => msg.startsWith('worker died'))
  assert.equal(died?.msg, 'worker died: no luck')
})

test('crash trackers: the hook of the config file hears of a kill, and its own failure ends nothing', async (t) => {
  const [, config] = /```js\n(\/\/ fastify-ah\.config\.js\n[\s\S]*?)```/.exec(page)!
  const file = appFile(t, {
    'fastify-ah.config.mjs': config!,
    'tracker.js': `
      import { setTimeout as sleep } from 'node:timers/promises'
      export async function report(error, worker) {
        console.log('reported ' + worker.id + ': ' + error.message)
        await sleep(50)
        throw new Error('the tracker is away')
      }\n`,
    'package.json': '{ "type": "module" }',
  })
  const cluster = await startCluster({ workers: 1, args: ['--config', file] }, t)
  const [pid] = cluster.workers()
  process.kill(pid!, 'SIGKILL')
  await cluster.node.waitForLine(/^reported 1: .*SIGKILL/)
  await cluster.node.waitForLine(/onCrash failed/)
  await cluster.untilServing({ count: 1, not: [pid!] })
  assert.equal((await httpGet(cluster.target)).status, 200)
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
})

test('central logs: a log file that is copied and emptied in place goes on from its beginning', async (t) => {
  const app = appFile(t, {
    'app.mjs': `export default async (app) => {
      app.get('/say', async () => { console.log('said by a worker'); return {} })
    }\n`,
  })
  const file = join(tempDir(t).path, 'cluster.log')
  const port = await freePort()
  const args = [
    'start',
    'cluster',
    app,
    '-w',
    '1',
    '--no-embedded',
    '--pids',
    tempDir(t).path,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
  ]
  const node = spawnNode(command, { args: [...args, '--log-file', file] }, t)
  const text = () => (existsSync(file) ? readFileSync(file, 'utf8') : '')
  await until(() => text().includes('equilibrium'), { what: 'it serves', deadlineMs: 30_000 })
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
  await httpGet({ port }, { path: '/say' })
  await until(() => text() === 'said by a worker\n', { what: 'the line, and nothing before it' })
  node.kill('SIGTERM')
  await node.exited
  assert.match(text(), /^said by a worker\n\{"level":30,/)
})

test('monit: the start ends when the cluster serves, and says why not with an exit code', async (t) => {
  assert.match(page, /start program = "\S+fastify-ah start cluster --daemon --config \S+"/)
  assert.match(page, /stop program = "\S+fastify-ah stop --config \S+"/)
  const shared = tempDir(t).path
  const port = await freePort()
  const config = appFile(t, {
    'fastify-ah.config.json': JSON.stringify({
      app: fixture('app'),
      port,
      host: '127.0.0.1',
      workers: 1,
      embedded: false,
    }),
  })
  const start = () =>
    spawnNode(command, { args: ['start', 'cluster', '--daemon', '--config', dirname(config)], cwd: shared }, t)
  const first = start()
  assert.deepEqual(await first.exited, { code: 0, signal: null })
  assert.equal((await httpGet({ port }, { path: '/health/live' })).status, 200)
  const second = start()
  assert.deepEqual(await second.exited, { code: 1, signal: null })
  assert.match(second.stderr(), /^fastify-ah: .+ \(AH_CLUSTER_PID_FILE\)\n$/)
  const stop = spawnNode(command, { args: ['stop', '--config', dirname(config)], cwd: shared }, t)
  assert.deepEqual(await stop.exited, { code: 0, signal: null })
  await assert.rejects(httpGet({ port }), { code: 'ECONNREFUSED' })
})
