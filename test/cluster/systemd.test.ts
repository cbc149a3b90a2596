// What systemd hears of a service: when it is ready, when it stops, and that it is alive.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { freePort, isAlive, spawnNode, tempDir, until } from 'fastify-ah-test-support'
import { appFile } from './app-file.ts'
import { notifySocket } from './notify-socket.ts'
import { command, fixture, getJson, spawnCluster, startCluster } from './running.ts'

test('a cluster says READY=1 when every worker serves, not before, and STOPPING=1 when it stops', async (t) => {
  const systemd = await notifySocket(t)
  const cluster = await startCluster({ app: 'slow-boot', env: { NOTIFY_SOCKET: systemd.path } }, t)
  await until(() => systemd.states().length > 0, { what: 'systemd is told' })
  assert.deepEqual(systemd.messages, [['READY=1', 'STATUS=2 workers serve']])
  await cluster.stop()
  assert.deepEqual(systemd.messages.slice(1), [['STOPPING=1', 'STATUS=stops']])
})

test('a cluster that cannot be started is never ready', async (t) => {
  const systemd = await notifySocket(t)
  const app = appFile(t, { 'app.mjs': 'throw new Error("no luck")\n' })
  const { node } = await spawnCluster({ app, env: { NOTIFY_SOCKET: systemd.path } }, t)
  assert.equal((await node.exited).code, 1)
  assert.deepEqual(systemd.states(), [])
})

test('a single process says the same', async (t) => {
  const systemd = await notifySocket(t)
  const args = ['start', fixture('app'), '--host', '127.0.0.1', '--port', String(await freePort())]
  const node = spawnNode(command, { args, env: { NOTIFY_SOCKET: systemd.path } }, t)
  await until(() => systemd.states().length === 1, { what: 'systemd is told' })
  node.kill('SIGTERM')
  assert.deepEqual(await node.exited, { code: 0, signal: null })
  assert.deepEqual(systemd.states(), ['READY=1', 'STOPPING=1'])
})

test('the watchdog hears of a cluster as long as its primary turns, and no longer', async (t) => {
  const systemd = await notifySocket(t)
  const alive = () => systemd.messages.filter(([first]) => first === 'WATCHDOG=1').length
  const env = { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: '400000' }
  const cluster = await startCluster({ workers: 1, env }, t)
  await until(() => alive() >= 3, { what: 'three signs of life' })
  cluster.node.kill('SIGSTOP')
  let before = -1
  // What had left when it was stopped may still arrive.
  await until(
    async () => {
      const isQuiet = before === alive()
      before = alive()
      return isQuiet
    },
    { what: 'no further sign', everyMs: 1_000 },
  )
  cluster.node.kill('SIGCONT')
  await until(() => alive() > before, { what: 'signs of life again' })
})

test('a watchdog that is meant for another process hears nothing', async (t) => {
  const systemd = await notifySocket(t)
  const env = { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' }
  const cluster = await startCluster({ workers: 1, env }, t)
  await cluster.stop()
  assert.deepEqual(
    systemd.messages.map(([first]) => first),
    ['READY=1', 'STOPPING=1'],
  )
})

test('the workers do not inherit systemd’s variables: they would speak for the primary', async (t) => {
  const systemd = await notifySocket(t)
  const env = { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' }
  const cluster = await startCluster({ workers: 1, env }, t)
  const { pid } = await getJson<{ pid: number }>(cluster.target, '/')
  const seen = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  assert.deepEqual(
    seen.filter((line) => /^(NOTIFY|WATCHDOG)_/.test(line)),
    [],
  )
})

test('a socket that nobody reads is a warning, told once; the cluster serves and stops', async (t) => {
  const env = { NOTIFY_SOCKET: join(tempDir(t).path, 'gone'), WATCHDOG_USEC: '200000' }
  const cluster = await startCluster({ workers: 1, env }, t)
  const warnings = () => cluster.log().filter(({ msg }) => msg.startsWith('NOTIFY_SOCKET is set, but'))
  await until(() => warnings().length > 0, { what: 'a warning' })
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
  assert.equal(warnings().length, 1)
  assert.ok(!isAlive(cluster.pid))
})

for (const signal of ['SIGUSR2', 'SIGHUP'] as const) {
  test(`${signal}: RELOADING=1 with the clock of the kernel, and READY=1 when the new workers serve`, async (t) => {
    const systemd = await notifySocket(t)
    const cluster = await startCluster({ env: { NOTIFY_SOCKET: systemd.path } }, t)
    await until(() => systemd.states().includes('READY=1'), { what: 'it is ready' })
    const before = process.hrtime.bigint() / 1000n
    cluster.node.kill(signal)
    await until(() => systemd.states().at(-1) === 'READY=1' && systemd.states().includes('RELOADING=1'), {
      what: 'it is ready again',
    })
    const reloading = systemd.messages.find(([first]) => first === 'RELOADING=1')!
    const clock = BigInt(/^MONOTONIC_USEC=(\d+)$/.exec(reloading[1]!)![1]!)
    assert.ok(clock >= before && clock <= process.hrtime.bigint() / 1000n)
  })
}

test('a reload that is given up is READY=1 again: the old workers serve', async (t) => {
  const systemd = await notifySocket(t)
  const app = appFile(t, { 'app.mjs': 'export default async () => {}\n' })
  const cluster = await startCluster({ app, env: { NOTIFY_SOCKET: systemd.path } }, t)
  await until(() => systemd.states().includes('READY=1'), { what: 'it is ready' })
  writeFileSync(app, 'throw new Error("no luck")\n')
  cluster.node.kill('SIGUSR2')
  await until(() => cluster.log().some(({ msg }) => msg.startsWith('the reload was given up')), { what: 'given up' })
  await until(() => systemd.states().lastIndexOf('READY=1') > systemd.states().indexOf('RELOADING=1'), {
    what: 'it is ready again',
  })
  assert.deepEqual(systemd.states().slice(0, 2), ['READY=1', 'RELOADING=1'])
})
