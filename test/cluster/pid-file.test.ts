// Pid files: who runs where, whatever stands in the way.
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { freePort, isAlive, type SpawnNodeOptions, spawnNode, tempDir, until } from 'fastify-ah-test-support'
import { command, fixture, spawnCluster, startCluster } from './running.ts'

test('the pid file names the primary, a file each the workers; all go with their process', async (t) => {
  const pids = tempDir(t).path
  const cluster = await startCluster({ pids, args: ['--title', 'shop'] }, t)
  const read = (name: string) => readFileSync(join(pids, name), 'utf8')
  assert.equal(read('cluster_pidfile'), `${cluster.pid}\n`)
  const workers = () => ['shop-worker-1', 'shop-worker-2'].map((name) => Number(read(name)))
  assert.deepEqual(workers().sort(), cluster.workers().sort())
  assert.equal(statSync(join(pids, 'cluster_control.sock')).mode & 0o777, 0o600)
  const [killed] = workers()
  process.kill(killed!, 'SIGKILL')
  await cluster.untilServing({ not: [killed!] }).catch(() => undefined)
  await until(() => workers()[0] !== killed)
  assert.equal((await cluster.ask('reload')).code, 0)
  assert.deepEqual(workers().sort(), cluster.workers().sort())
  await cluster.stop()
  assert.deepEqual(readdirSync(pids), [])
})

test('[69] what a dead primary left, garbage, and the pid of another program are no obstacle', async (t) => {
  const pids = tempDir(t).path
  const file = join(pids, 'cluster_pidfile')
  const ended = spawnNode(command, { args: ['--version'] }, t)
  await ended.exited
  const stranger = process.pid
  const anHourAgo = new Date(Date.now() - 3_600_000)
  for (const [text, time] of [
    [`${ended.pid}\n`, undefined],
    ['', undefined],
    ['no pid at all', undefined],
    ['-1', undefined],
    ['12345678901234567890', undefined],
    // Runs, but has begun after the file was written: the pid was given away again.
    [`${stranger}\n`, anHourAgo],
    // The very pid of the new primary, as in a container, where each has the same.
    ['1\n', anHourAgo],
  ] as const) {
    writeFileSync(file, text)
    if (time !== undefined) utimesSync(file, time, time)
    if (text === '1\n' && isOlder(1, anHourAgo)) continue
    const cluster = await startCluster({ pids, workers: 1 }, t)
    assert.equal(readFileSync(file, 'utf8'), `${cluster.pid}\n`, JSON.stringify(text))
    assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
  }
})

test('[69] a primary killed with -9 leaves its files behind, and the next one starts over them', async (t) => {
  const pids = tempDir(t).path
  const first = await startCluster({ pids }, t)
  const port = (first.target as { port: number }).port
  process.kill(first.pid, 'SIGKILL')
  await first.node.exited
  assert.ok(existsSync(join(pids, 'cluster_pidfile')))
  const asked = await first.ask('status')
  assert.equal(asked.code, 3)
  assert.match(asked.stderr, /was left by a process that is gone/)
  const second = await startCluster({ pids, port }, t)
  assert.equal((await second.ask('status')).code, 0)
  assert.deepEqual(await second.stop(), { code: 0, signal: null })
})

test('[69] a second primary with the same folder is an error that names the first, which is left alone', async (t) => {
  const pids = tempDir(t).path
  const first = await startCluster({ pids }, t)
  const second = await spawnCluster({ pids }, t)
  assert.deepEqual(await second.node.exited, { code: 1, signal: null })
  assert.match(second.node.stderr(), new RegExp(`already running: pid ${first.pid} by \\S+cluster_pidfile`))
  assert.match(second.node.stderr(), /another folder with --pids \(AH_CLUSTER_PID_FILE\)/)
  assert.equal((await first.ask('status')).code, 0)
  assert.equal(readFileSync(join(pids, 'cluster_pidfile'), 'utf8'), `${first.pid}\n`)
})

test('[69] of primaries that race over a stale file one wins, and the others say so', async (t) => {
  const pids = tempDir(t).path
  writeFileSync(join(pids, 'cluster_pidfile'), '999999999\n')
  const racers = await Promise.all(Array.from({ length: 4 }, () => spawnCluster({ pids, workers: 1 }, t)))
  const losers = () => racers.filter(({ node }) => node.stderr().includes('already running'))
  await until(() => losers().length === 3, { deadlineMs: 30_000 })
  const winner = racers.find((racer) => !losers().includes(racer))!
  await winner.untilServing()
  assert.equal(readFileSync(join(pids, 'cluster_pidfile'), 'utf8'), `${winner.pid}\n`)
  assert.deepEqual(
    readdirSync(pids).filter((name) => /stale|\.\d+$/.test(name)),
    [],
  )
  assert.deepEqual(await winner.stop(), { code: 0, signal: null })
})

test('[69] a folder, a symlink, a folder without the right to write: one message each, nothing touched', async (t) => {
  const asNobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  const folder = tempDir(t).path
  mkdirSync(join(folder, 'cluster_pidfile'))
  await refused(t, folder, {}, /cluster_pidfile is a folder; it is left alone/)
  const linked = tempDir(t).path
  const target = join(tempDir(t).path, 'precious')
  writeFileSync(target, 'precious')
  symlinkSync(target, join(linked, 'cluster_pidfile'))
  await refused(t, linked, {}, /cluster_pidfile is no plain file; it is left alone/)
  assert.equal(readFileSync(target, 'utf8'), 'precious')
  const closed = tempDir(t).path
  chmodSync(closed, 0o555)
  await refused(t, closed, asNobody, /the pid file \S+ cannot be written: EACCES/)
  await refused(t, join(closed, 'pids'), asNobody, /the folder \S+ of the pid files cannot be made: EACCES/)
  await refused(t, '/dev/null/pids', {}, /the folder \S+ of the pid files cannot be made: ENOTDIR/)
})

test('[69] a pid file that was taken over is not removed by its former owner', async (t) => {
  const pids = tempDir(t).path
  const cluster = await startCluster({ pids, workers: 1 }, t)
  writeFileSync(join(pids, 'cluster_pidfile'), `${process.pid}\n`)
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
  assert.equal(readFileSync(join(pids, 'cluster_pidfile'), 'utf8'), `${process.pid}\n`)
})

test('a folder whose path is too long for a socket is no obstacle for its control socket', async (t) => {
  const pids = join(tempDir(t).path, 'x'.repeat(60), 'y'.repeat(60))
  const cluster = await startCluster({ pids, workers: 1 }, t)
  assert.equal((await cluster.ask('status')).code, 0)
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
})

test('a single process writes its pid only if it is told where, under the name that ActionHero gives it', async (t) => {
  const pids = tempDir(t).path
  const start = async (...args: string[]) => {
    const port = String(await freePort())
    const all = ['start', fixture('app'), '--host', '127.0.0.1', '--port', port, ...args]
    return spawnNode(command, { args: all, cwd: tempDir(t).path }, t)
  }
  const single = await start('--pids', pids)
  await single.waitForLine(/listening on/, 30_000)
  const [name] = readdirSync(pids)
  assert.match(name!, /^actionhero-\d+\.\d+\.\d+\.\d+$/)
  assert.equal(readFileSync(join(pids, name!), 'utf8'), `${single.pid}\n`)
  const second = await start('--pids', pids)
  await second.waitForLine(/listening on/, 30_000)
  assert.match(second.stderr(), /already running: pid \d+ by \S+actionhero-/)
  const without = await start()
  await without.waitForLine(/listening on/, 30_000)
  for (const one of [second, single, without]) {
    one.kill('SIGTERM')
    assert.deepEqual(await one.exited, { code: 0, signal: null })
  }
  assert.deepEqual(readdirSync(pids), [])
})

async function refused(t: TestContext, pids: string, options: SpawnNodeOptions, message: RegExp): Promise<void> {
  const port = String(await freePort())
  const args = [
    'start',
    'cluster',
    fixture('app'),
    '--no-embedded',
    '--pids',
    pids,
    '--host',
    '127.0.0.1',
    '--port',
    port,
  ]
  const node = spawnNode(command, { args, ...options }, t)
  assert.deepEqual(await node.exited, { code: 1, signal: null })
  assert.match(node.stderr(), message)
  assert.match(node.stderr(), /\(AH_CLUSTER_PID_FILE\)/)
  assert.ok(!isAlive(node.pid))
}

/** Whether the process began before `time`. */
function isOlder(pid: number, time: Date): boolean {
  return statSync(`/proc/${pid}`).ctimeMs < time.getTime()
}
