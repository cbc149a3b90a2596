// The files of examples/deploy: each command line in them is run for real, with its paths replaced.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, readlinkSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { freePort, httpGet, type SpawnedNode, spawnNode, tempDir, until } from 'fastify-ah-test-support'
import { notifySocket } from './notify-socket.ts'
import { command, fixture } from './running.ts'

const SCRIPT = new URL('../../../examples/deploy/reload.sh', import.meta.url).pathname

test('Procfile: the binary takes the port from PORT, and its TERM is an orderly end with exit code 0', async (t) => {
  const [, line] = /^web: node_modules\/\.bin\/fastify-ah (.*)$/m.exec(deployFile('Procfile'))!
  const port = await freePort()
  const args = [...words(line!.replace('5000', '500')), fixture('app'), '--workers', '1', '--no-embedded']
  const node = spawnNode(command, { args, env: { PORT: String(port) } }, t)
  await node.waitForLine(/equilibrium/, 30_000)
  assert.equal((await httpGet({ port })).status, 200)
  node.kill('SIGTERM')
  await until(async () => (await httpGet({ port }, { path: '/health/ready' })).status === 503, { what: 'not ready' })
  assert.equal((await httpGet({ port })).status, 200, 'and it still answers')
  assert.deepEqual(await node.exited, { code: 0, signal: null })
})

test('app.service: its command line serves the socket and tells systemd so', async (t) => {
  const unit = setting('ExecStart').replace(/\\\n/g, '')
  const systemd = await notifySocket(t)
  const run = tempDir(t).path
  const args = words(unit)
    .slice(1)
    .map((word) => word.replace('/run/app', run).replace('www-data', String(process.getgid!())))
  const root = project(t)
  const env = { PROJECT_ROOT: root, NODE_ENV: 'production', NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: '30000000' }
  const node = spawnNode(command, { args, env, cwd: run }, t)
  await until(() => systemd.states().includes('READY=1'), {
    what: 'systemd hears that it is ready',
    deadlineMs: 30_000,
  })
  assert.equal((await httpGet({ socketPath: join(run, 'web.sock') })).status, 200)
  node.kill('SIGTERM')
  assert.deepEqual(await node.exited, { code: 0, signal: null })
  assert.deepEqual(systemd.states(), ['READY=1', 'STOPPING=1'])
})

test('app.service: the settings that the cluster relies on are there', () => {
  assert.deepEqual(['Type', 'NotifyAccess', 'KillMode', 'Restart', 'ExecReload'].map(setting), [
    'notify',
    'all',
    'mixed',
    'on-failure',
    '/bin/kill -USR2 $MAINPID',
  ])
})

test('Dockerfile: as process 1 it serves, its health check says so, and the stop is orderly', async (t) => {
  const dockerfile = deployFile('Dockerfile')
  const list = (name: string) => JSON.parse(new RegExp(`^${name} (\\[.*\\])$`, 'm').exec(dockerfile)![1]!) as string[]
  assert.deepEqual(list('ENTRYPOINT'), ['node_modules/.bin/fastify-ah'])
  const port = await freePort()
  const onPort = (word: string) => word.replaceAll('8080', String(port))
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

test('reload.sh: the release is complete before the symlink moves, and the primary gets its USR2', async (t) => {
  const base = tempDir(t).path
  const repo = join(base, 'repo')
  const origin = join(base, 'origin')
  const git = (folder: string, ...args: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      encoding: 'utf8',
    }).trim()
  const commit = (text: string) => {
    writeFileSync(join(origin, 'release.txt'), text)
    git(origin, 'add', '.')
    git(origin, 'commit', '--quiet', '-m', text)
    return git(origin, 'rev-parse', 'HEAD')
  }
  mkdirSync(origin)
  git(origin, 'init', '--quiet', '--initial-branch', 'main')
  commit('first')
  git(base, 'clone', '--quiet', origin, repo)
  const primary = listener(t)
  await primary.waitForLine(/^listens$/)

  const deploy = (...args: string[]) =>
    execFileSync(SCRIPT, args, { encoding: 'utf8', env: { ...process.env, BASE: base }, stdio: 'pipe' })
  deploy(String(primary.pid))
  await primary.waitForLine(/^USR2 1$/)
  assert.equal(readFileSync(join(base, 'current/release.txt'), 'utf8'), 'first')
  assert.throws(() => realpathSync(join(base, 'current.next')), { code: 'ENOENT' })

  const second = commit('second')
  const pidFile = join(base, 'cluster_pidfile')
  writeFileSync(pidFile, `${primary.pid}\n`)
  assert.equal(deploy(pidFile, 'main'), `reloading to ${second}\n`)
  await primary.waitForLine(/^USR2 2$/)
  assert.equal(readFileSync(join(base, 'current/release.txt'), 'utf8'), 'second')
  assert.equal(readlinkSync(join(base, 'current')), join(base, 'releases', second))
  // The same on every machine, and so the same Last-Modified.
  const committedAt = Number(git(repo, 'show', '--no-patch', '--format=%ct', second))
  assert.equal(statSync(join(base, 'current/release.txt')).mtimeMs, committedAt * 1000)

  const before = readlinkSync(join(base, 'current'))
  assert.throws(() => deploy(pidFile, 'no-such-branch'), /no-such-branch/)
  assert.throws(() => deploy(), /usage: reload\.sh/)
  assert.equal(readlinkSync(join(base, 'current')), before, 'what fails changes nothing')
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

function listener(t: TestContext): SpawnedNode {
  const file = join(tempDir(t).path, 'listener.mjs')
  writeFileSync(
    file,
    `let count = 0\nprocess.on('SIGUSR2', () => console.log('USR2 ' + (count += 1)))\nsetInterval(() => {}, 1e6)\nconsole.log('listens')\n`,
  )
  return spawnNode(file, {}, t)
}
