// A cluster in the background: the command ends when it serves or has failed, and the log is a file.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import {
  freePort,
  httpGet,
  isAlive,
  type SpawnedNode,
  spawnNode,
  type TestScope,
  tempDir,
  until,
} from 'fastify-ah-test-support'
import { appFile } from './app-file.ts'
import { command, fixture, type LogLine, spawnCluster, startCluster } from './running.ts'

interface Background {
  readonly node: SpawnedNode
  readonly port: number
  readonly root: string
}

test('--daemon ends when all workers serve and leaves them behind, in a session of their own', async (t) => {
  const { node, port, root } = await startDaemon(t)
  assert.deepEqual(await node.exited, { code: 0, signal: null })
  const [, pid, log] = /^2 workers serve in the background\nprimary (\d+), log (\S+)\n$/.exec(node.stdout()) ?? []
  assert.equal(node.stderr(), '')
  assert.equal(log, join(root, 'log/cluster.log'))
  assert.equal((await httpGet({ port })).status, 200, 'at once')
  assert.equal(lines(log!).filter(({ msg }) => msg === 'worker started').length, 2)
  assert.equal((statSync(log!).mode & 0o777).toString(8), '640')
  // Fields 4 to 6 after the name: parent, group, session.
  const [, , , session] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  assert.equal(session, pid)
  process.kill(Number(pid), 'SIGTERM')
  await until(() => !isAlive(Number(pid)), { what: 'the cluster ends' })
  assert.deepEqual(node.descendants(), [])
  assert.equal(lines(log!).at(-1)!.msg, 'the cluster has stopped')
})

test('its workers do not inherit that they are in the background: what they start is their own', async (t) => {
  const { node, port } = await startDaemon(t)
  await node.exited
  const { pid } = JSON.parse((await httpGet({ port })).body) as { pid: number }
  const env = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  assert.deepEqual(
    env.filter((line) => line.startsWith('AH_DETACHED')),
    [],
  )
})

test('a start that fails is told as in the foreground, with its exit code, and nothing is left', async (t) => {
  const broken = appFile(t, { 'app.mjs': '\nthrow new RangeError("no luck")\n' })
  const failed = await startDaemon(t, { app: broken })
  assert.deepEqual(await failed.node.exited, { code: 1, signal: null })
  assert.equal(
    failed.node.stderr(),
    `fastify-ah: ${broken} could not be started (AH_CLUSTER_APP_FAILED)\n  RangeError: no luck\n      at file://${broken}:2:7\n`,
  )
  assert.deepEqual([failed.node.stdout(), failed.node.descendants()], ['', []])

  const holder = await startCluster({ workers: 1 }, t)
  const { port } = holder.target as { port: number }
  const inUse = await startDaemon(t, { port, args: ['--bind-wait-ms', '100'] })
  assert.deepEqual(await inUse.node.exited, { code: 1, signal: null })
  assert.equal(
    inUse.node.stderr(),
    `fastify-ah: port ${port} on 127.0.0.1 is already in use by another server (AH_CLUSTER_ADDRESS_IN_USE)\n`,
  )

  const wrong = await startDaemon(t, { args: ['--wat'] })
  assert.deepEqual(await wrong.node.exited, { code: 2, signal: null })
  assert.match(wrong.node.stderr(), /^fastify-ah start cluster: unknown option "--wat"/)
  assert.ok(!existsSync(join(wrong.root, 'log')), 'nothing was begun')
})

test('one that is killed before it serves is told, with where to look', async (t) => {
  const { node, root } = await startDaemon(t, { app: fixture('slow-boot') })
  const primary = await until(() => node.descendants().find((pid) => isPrimary(pid)), { what: 'the primary' })
  process.kill(primary, 'SIGKILL')
  assert.deepEqual(await node.exited, { code: 1, signal: null })
  assert.equal(node.stderr(), `fastify-ah: it ended before it served; its log is ${root}/log/cluster.log\n`)
})

test('whoever gives up waiting ends it', async (t) => {
  const { node, root } = await startDaemon(t, { app: fixture('slow-boot') })
  const log = join(root, 'log/cluster.log')
  await until(() => lines(log).some(({ msg }) => msg === 'worker starts'), { what: 'a worker boots' })
  node.kill('SIGINT')
  assert.deepEqual(await node.exited, { code: 1, signal: null })
  assert.deepEqual(node.descendants(), [])
})

test('--log-file takes the log and what the workers write', async (t) => {
  const app = appFile(t, { 'app.mjs': `console.log('from the worker')\nexport default async () => {}\n` })
  const file = join(tempDir(t).path, 'deep/er/app.log')
  const cluster = await spawnCluster({ app, workers: 1, args: ['--log-file', file] }, t)
  await until(() => existsSync(file) && lines(file).some(({ msg }) => /equilibrium/.test(msg)), { what: 'it serves' })
  assert.ok(readFileSync(file, 'utf8').includes('\nfrom the worker\n'))
  assert.equal(cluster.node.stdout(), '')
})

test('a log file that cannot be written is one clear message', async (t) => {
  const dir = tempDir(t).path
  mkdirSync(join(dir, 'folder.log'))
  for (const args of [[], ['--daemon']]) {
    const { node } = await spawnCluster({ args: [...args, '--log-file', join(dir, 'folder.log')] }, t)
    assert.deepEqual(await node.exited, { code: 1, signal: null })
    assert.match(
      node.stderr(),
      /^fastify-ah: the log file \/\S+folder\.log cannot be written: EISDIR.* \(AH_CLUSTER_LOG_FILE\)\n$/,
    )
  }
})

for (const signal of ['SIGHUP', 'SIGUSR2'] as const) {
  test(`${signal} to a cluster in the background opens the log file anew, for its workers too`, async (t) => {
    const app = appFile(t, {
      'app.mjs': `export default async (app) => {
        app.get('/', async () => { console.log('said by ' + process.pid); return { pid: process.pid } })
      }\n`,
    })
    const { node, port, root } = await startDaemon(t, { app })
    assert.deepEqual(await node.exited, { code: 0, signal: null })
    const file = join(root, 'log/cluster.log')
    const primary = Number(/primary (\d+)/.exec(node.stdout())![1])
    const old = lines(file).flatMap(({ msg, workerPid }) => (msg === 'worker started' ? [workerPid!] : []))
    renameSync(file, `${file}.1`)
    process.kill(primary, signal)
    const isOver = () =>
      existsSync(file) &&
      old.every((pid) => !isAlive(pid)) &&
      /equilibrium|reload done/.test(readFileSync(file, 'utf8'))
    await until(isOver, { what: 'new workers, and their lines in a new file', deadlineMs: 20_000 })
    const { pid } = JSON.parse((await httpGet({ port })).body) as { pid: number }
    await until(() => readFileSync(file, 'utf8').includes(`said by ${pid}\n`), { what: 'what a worker writes' })
    assert.ok(!readFileSync(`${file}.1`, 'utf8').includes('said by'))
    assert.ok(isAlive(primary))
  })
}

test('a log file that cannot be opened anew goes on as the old one', async (t) => {
  const dir = tempDir(t).path
  const file = join(dir, 'cluster.log')
  const cluster = await spawnCluster({ workers: 1, args: ['--log-file', file] }, t)
  await until(() => lines(file).some(({ msg }) => /equilibrium/.test(msg)), { what: 'it serves' })
  renameSync(file, `${file}.1`)
  mkdirSync(file)
  cluster.node.kill('SIGUSR2')
  await until(() => lines(`${file}.1`).some(({ msg }) => msg === 'the log goes on in the old file'), { what: 'a line' })
  await until(() => lines(`${file}.1`).some(({ msg }) => msg.startsWith('reload done')), { what: 'and the reload' })
  assert.equal((await httpGet(cluster.target)).status, 200)
})

test('a disk that is full costs lines, not the cluster', async (t) => {
  // The kernel's own full disk.
  const cluster = await spawnCluster({ workers: 1, args: ['--log-file', '/dev/full'] }, t)
  const { target } = cluster
  await until(async () => (await httpGet(target)).status === 200, { what: 'it serves' })
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
})

async function startDaemon(
  scope: TestScope,
  options: { app?: string; port?: number; args?: string[] } = {},
): Promise<Background> {
  const { app = fixture('app'), port = await freePort(), args = [] } = options
  const root = tempDir(scope).path
  const all = ['start', 'cluster', app, '--daemon', '-w', '2', '--no-embedded', '--host', '127.0.0.1']
  const node = spawnNode(command, { args: [...all, '--port', String(port), ...args], cwd: root }, scope)
  return { node, port, root }
}

function isPrimary(pid: number): boolean {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').includes('AH_DETACHED=1')
}

function lines(file: string): LogLine[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"level"') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as LogLine)
}
