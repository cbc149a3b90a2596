// The files of examples/deploy: each command line in them is run for real, with its paths replaced.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, readlinkSync, realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { freePort, httpGet, spawnNode, tempDir, until } from 'fastify-ah-test-support'
import { notifySocket } from './notify-socket.ts'
import { command, fixture, getJson, startCluster } from './running.ts'

const SCRIPT = new URL('../../../examples/deploy/reload.sh', import.meta.url).pathname

test('Procfile: the binary takes the port from PORT, and its TERM is an orderly end with exit code 0', async (t) => {
  const [, line] = /^web: node_modules\/\.bin\/fastify-ah (.*)$/m.exec(deployFile('Procfile'))!
  const port = await freePort()
  const args = [...words(line!.replace('5000', '500')), fixture('app'), '--workers', '1', '--no-embedded']
  const node = spawnNode(command, { args, env: { PORT: String(port) }, cwd: tempDir(t).path }, t)
  await node.waitForLine(/equilibrium/, 30_000)
  assert.equal((await httpGet({ port })).status, 200)
  node.kill('SIGTERM')
  await until(async () => (await httpGet({ port }, { path: '/health/ready' })).status === 503, { what: 'not ready' })
  assert.equal((await httpGet({ port })).status, 200, 'and it still answers')
  assert.deepEqual(await node.exited, { code: 0, signal: null })
})

test('app.service: its command lines serve the socket, tell systemd so, reload, and fail if the release does', async (t) => {
  const systemd = await notifySocket(t)
  const run = tempDir(t).path
  const argsOf = (name: string) =>
    words(setting(name).replaceAll('\\\n', ''))
      .slice(1)
      .map((word) => word.replace('/run/app', run).replace('www-data', String(process.getgid!())))
  const root = project(t)
  const env = { PROJECT_ROOT: root, NODE_ENV: 'production', NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: '30000000' }
  const node = spawnNode(command, { args: argsOf('ExecStart'), env, cwd: run }, t)
  await until(() => systemd.states().includes('READY=1'), {
    what: 'systemd hears that it is ready',
    deadlineMs: 30_000,
  })
  const pidOf = async () => (await getJson<{ pid: number }>({ socketPath: join(run, 'web.sock') }, '/')).pid
  const before = await pidOf()
  const reload = () =>
    spawnNode(command, { args: argsOf('ExecReload'), env: { PROJECT_ROOT: root }, cwd: run }, t).exited
  assert.deepEqual(await reload(), { code: 0, signal: null })
  assert.notEqual(await pidOf(), before)
  assert.ok(systemd.states().includes('RELOADING=1'))
  writeFileSync(join(root, 'app.mjs'), 'throw new RangeError("no luck")\n')
  assert.deepEqual(await reload(), { code: 1, signal: null })
  assert.equal((await httpGet({ socketPath: join(run, 'web.sock') })).status, 200)
  node.kill('SIGTERM')
  assert.deepEqual(await node.exited, { code: 0, signal: null })
  assert.equal(systemd.states()[0], 'READY=1')
  assert.deepEqual(systemd.states().slice(-2), ['READY=1', 'STOPPING=1'])
})

test('app.service: the settings that the cluster relies on are there', () => {
  const settings = ['Type', 'NotifyAccess', 'KillMode', 'Restart'].map(setting)
  assert.deepEqual(settings, ['notify', 'all', 'mixed', 'on-failure'])
})

test('Dockerfile: as process 1 it serves, its health check says so, and the stop is orderly', async (t) => {
  const dockerfile = deployFile('Dockerfile')
  const list = (name: string) => JSON.parse(new RegExp(`^${name} (\\[.*\\])$`, 'm').exec(dockerfile)![1]!) as string[]
  assert.deepEqual(list('ENTRYPOINT'), ['node_modules/.bin/fastify-ah'])
  const port = await freePort()
  const pids = tempDir(t).path
  const onPort = (word: string) => word.replaceAll('8080', String(port)).replace('/tmp/app', pids)
  const [program, ...check] = list('  CMD').map(onPort)
  assert.equal(program, 'node')
  const isHealthy = async () => {
    const [code] = (await once(spawn(process.execPath, check, { stdio: 'ignore' }), 'exit')) as [number]
    return code === 0
  }
  assert.equal(await isHealthy(), false)
  const args = [...list('CMD').map(onPort), '--workers', '1', '--no-embedded']
  const node = spawnNode(command, { args, cwd: project(t) }, t)
  await node.waitForLine(/equilibrium/, 30_000)
  assert.equal(await isHealthy(), true)
  node.kill('SIGTERM')
  assert.deepEqual(await node.exited, { code: 0, signal: null })
})

test('kubernetes.yaml: one process that says that it is not ready, and goes on answering for as long as it was told', async (t) => {
  const yaml = deployFile('kubernetes.yaml')
  const port = await freePort()
  const args = (JSON.parse(/args: (\[.*\])/.exec(yaml)![1]!.replaceAll("'", '"')) as string[]).map((word) =>
    word.replace('8080', String(port)).replace('10000', '800'),
  )
  const node = spawnNode(command, { args, cwd: project(t), env: { NODE_ENV: 'production' } }, t)
  await node.waitForLine(/listening on/)
  for (const [, path] of yaml.matchAll(/httpGet: \{ path: (\S+),/g)) {
    assert.equal((await httpGet({ port }, { path: path! })).status, 200, path)
  }
  node.kill('SIGTERM')
  await until(async () => (await httpGet({ port }, { path: '/health/ready' })).status === 503, { what: 'not ready' })
  assert.equal((await httpGet({ port }, { path: '/health/live' })).status, 200)
  assert.equal((await httpGet({ port })).status, 200)
  assert.deepEqual(await node.exited, { code: 0, signal: null })
})

test('[71] reload.sh: the release is complete before the symlink moves, and new workers run its code', async (t) => {
  const base = tempDir(t).path
  const repo = join(base, 'repo')
  const origin = join(base, 'origin')
  const git = (folder: string, ...args: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      encoding: 'utf8',
    }).trim()
  const commit = (source: string) => {
    writeFileSync(join(origin, 'app.mjs'), source)
    git(origin, 'add', '.')
    git(origin, 'commit', '--quiet', '-m', 'a release')
    return git(origin, 'rev-parse', 'HEAD')
  }
  const saying = (word: string) => `export default async (app) => { app.get('/', async () => ({ says: '${word}' })) }\n`
  mkdirSync(origin)
  git(origin, 'init', '--quiet', '--initial-branch', 'main')
  const first = commit(saying('first'))
  git(base, 'clone', '--quiet', origin, repo)
  mkdirSync(join(base, 'releases', first), { recursive: true })
  writeFileSync(join(base, 'releases', first, 'app.mjs'), saying('first'))
  symlinkSync(join(base, 'releases', first), join(base, 'current'))

  const root = join(base, 'current')
  const cluster = await startCluster({ app: root, env: { PROJECT_ROOT: root } }, t)
  const says = async () => (await getJson<{ says: string }>(cluster.target, '/')).says
  assert.equal(await says(), 'first')
  const deploy = (...args: string[]) =>
    execFileSync(SCRIPT, args, { encoding: 'utf8', env: { ...process.env, BASE: base }, stdio: 'pipe' })
  const pidFile = join(cluster.pids, 'cluster_pidfile')

  const second = commit(saying('second'))
  assert.equal(deploy(pidFile), `reloading to ${second}\n`)
  await until(() => cluster.log().some(({ msg }) => msg.startsWith('reload done')), { what: 'the reload is done' })
  assert.equal(await says(), 'second')
  assert.equal(readlinkSync(root), join(base, 'releases', second))
  assert.throws(() => realpathSync(join(base, 'current.next')), { code: 'ENOENT' })
  // The same on every machine, and so the same Last-Modified.
  const committedAt = Number(git(repo, 'show', '--no-patch', '--format=%ct', second))
  assert.equal(statSync(join(root, 'app.mjs')).mtimeMs, committedAt * 1000)

  assert.throws(() => deploy(pidFile, 'no-such-branch'), /no-such-branch/)
  assert.throws(() => deploy(), /usage: reload\.sh/)
  assert.equal(readlinkSync(root), join(base, 'releases', second), 'what fails changes nothing')

  commit('throw new RangeError("no luck")\n')
  deploy(String(cluster.pid), 'main')
  await until(() => cluster.log().some(({ msg }) => /given up[\s\S]*no luck/.test(msg)), {
    what: 'the reload is given up',
  })
  assert.equal(await says(), 'second', 'the old workers serve on')
})

function deployFile(name: string): string {
  return readFileSync(new URL(`../../../examples/deploy/${name}`, import.meta.url), 'utf8')
}

function setting(name: string): string {
  return new RegExp(`^${name}=((?:.*\\\\\\n)*.*)$`, 'm').exec(deployFile('app.service'))![1]!
}

function words(line: string): string[] {
  return line.trim().split(/\s+/)
}

/** A project's folder with an app of its own name. */
function project(t: TestContext): string {
  const root = tempDir(t).path
  writeFileSync(join(root, 'app.mjs'), `export { default } from ${JSON.stringify(fixture('app'))}\n`)
  return root
}
