// What stands in the way of listening: somebody else, a stale socket, a missing right; and who gives way to whom.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { freePort, httpGet, spawnNode, tempDir } from 'fastify-ah-test-support'
import { command, fixture, spawnCluster, startCluster } from './running.ts'

test('a port in use is one clear message and exit code 1, with nothing left running', async (t) => {
  const { port } = await listening(t)
  const cluster = await spawnCluster({ port, args: ['--bind-wait-ms', '200'] }, t)
  assert.deepEqual(await cluster.node.exited, { code: 1, signal: null })
  assert.equal(
    cluster.node.stderr(),
    `fastify-ah: port ${port} on 127.0.0.1 is already in use by another server (AH_CLUSTER_ADDRESS_IN_USE)\n`,
  )
  assert.deepEqual(cluster.node.descendants(), [])
})

test('a port that becomes free within bindWaitMs is taken', async (t) => {
  const { port, server } = await listening(t)
  const cluster = await spawnCluster({ port, args: ['--bind-wait-ms', '20000'] }, t)
  await cluster.node.waitForLine(/is already in use by another server; trying again/)
  server.close()
  await cluster.untilServing()
  assert.equal((await httpGet(cluster.target)).status, 200)
})

test('a server that is only bound yet does not keep the cluster from its message', async (t) => {
  // Both bind with SO_REUSEADDR as long as neither listens; it comes out when the second one listens.
  const first = await spawnCluster({ app: 'slow-boot' }, t)
  await first.node.waitForLine(/worker starts/)
  const { port } = first.target as { port: number }
  const second = await startCluster({ port, workers: 1 }, t)
  assert.deepEqual(await first.node.exited, { code: 1, signal: null })
  assert.match(first.node.stderr(), /is already in use by another server \(AH_CLUSTER_ADDRESS_IN_USE\)/)
  assert.equal((await httpGet(second.target)).status, 200)
})

test('a stale unix socket is cleared away, one that is alive is a clear error', async (t) => {
  const socket = join(tempDir(t).path, 'app.sock')
  const first = await startCluster({ socket, workers: 1 }, t)
  const second = await spawnCluster({ socket, args: ['--bind-wait-ms', '200'] }, t)
  assert.deepEqual(await second.node.exited, { code: 1, signal: null })
  assert.match(
    second.node.stderr(),
    /^fastify-ah: the socket \S+ is already in use by another server \(AH_CLUSTER_ADDRESS_IN_USE\)$/m,
  )
  assert.equal((await httpGet(first.target)).status, 200, 'the first one is not disturbed')

  const stale = join(tempDir(t).path, 'stale.sock')
  const dead = spawnNode(command, { args: ['start', fixture('app'), '--socket', stale] }, t)
  await dead.waitForLine(/listening on/)
  dead.kill('SIGKILL')
  await dead.exited
  assert.ok(existsSync(stale), 'a killed process leaves its socket behind')
  const third = await startCluster({ socket: stale, workers: 1 }, t)
  assert.equal((await httpGet(third.target)).status, 200)
})

test('of two clusters that start at once on one unix socket exactly one goes on', async (t) => {
  const socket = join(tempDir(t).path, 'app.sock')
  const both = await Promise.all(
    [1, 2].map(() => spawnCluster({ socket, workers: 1, args: ['--bind-wait-ms', '0'] }, t)),
  )
  const ended = await Promise.race(both.map((cluster) => cluster.node.exited.then(() => cluster)))
  const goingOn = both.find((cluster) => cluster !== ended)!
  assert.deepEqual(await ended.node.exited, { code: 1, signal: null })
  assert.match(ended.node.stderr(), /AH_CLUSTER_ADDRESS_IN_USE/)
  await goingOn.untilServing()
  assert.equal((await httpGet(goingOn.target)).status, 200)
  assert.deepEqual(await goingOn.stop(), { code: 0, signal: null })
})

test('a socket that somebody else has bound in the meantime is not removed at the end', async (t) => {
  const socket = join(tempDir(t).path, 'app.sock')
  const first = await startCluster({ socket, workers: 1 }, t)
  unlinkSync(socket)
  const second = await startCluster({ socket, workers: 1 }, t)
  assert.deepEqual(await first.stop(), { code: 0, signal: null })
  assert.equal((await httpGet(second.target)).status, 200)
})

for (const [what, make, message] of [
  [
    'a regular file',
    (path: string) => writeFileSync(path, 'precious'),
    /is a regular file, no socket; it is left alone/,
  ],
  ['a folder', (path: string) => mkdirSync(path), /is a folder, no socket; it is left alone/],
  [
    'a symbolic link',
    (path: string) => symlinkSync('/nowhere', path),
    /is a symbolic link, no socket; it is left alone/,
  ],
] as const) {
  test(`${what} where the socket should be is left alone: one message, exit code 1`, async (t) => {
    const socket = join(tempDir(t).path, 'taken')
    make(socket)
    const cluster = await spawnCluster({ socket }, t)
    assert.deepEqual(await cluster.node.exited, { code: 1, signal: null })
    assert.match(cluster.node.stderr(), message)
  })
}

test('a socket path that is too long or has no folder, and a host that is not ours, are one message each', async (t) => {
  const dir = tempDir(t).path
  for (const [args, message] of [
    [['--socket', join(dir, 'x'.repeat(120))], /has \d+ bytes; the system takes at most \d+/],
    [['--socket', join(dir, 'none', 'app.sock')], /there is no folder \S+none for the socket/],
    [['--host', '192.0.2.1', '--port', '0'], /port 0 on 192\.0\.2\.1 cannot be bound: not an address of this machine/],
    [['--host', 'no-such-host.invalid'], /the host "no-such-host\.invalid" has no address/],
  ] as [string[], RegExp][]) {
    for (const start of [['start', 'cluster'], ['start']]) {
      const node = spawnNode(command, { args: [...start, fixture('app'), ...args, '--no-embedded'] }, t)
      assert.deepEqual(await node.exited, { code: 1, signal: null })
      assert.match(node.stderr(), message)
      assert.match(node.stderr(), /\(AH_CLUSTER_ADDRESS_INVALID\)/)
    }
  }
})

test('a port or a folder that this user has no right to is one message', async (t) => {
  const asNobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  const dir = tempDir(t).path
  chmodSync(dir, 0o555)
  // Containers often let everybody bind every port.
  const firstFreePort = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'))
  const cases: [string[], RegExp][] = [[['--socket', join(dir, 'app.sock')], /this user may not bind the socket/]]
  if (firstFreePort > 81) cases.push([['--port', '81'], /this user may not bind port 81 .*take a port from 1024 up/])
  for (const [args, message] of cases) {
    const pids = tempDir(t).path
    chmodSync(pids, 0o777)
    const all = ['start', 'cluster', fixture('app'), '--no-embedded', '--pids', pids, ...args]
    const node = spawnNode(command, { args: all, ...asNobody }, t)
    assert.deepEqual(await node.exited, { code: 1, signal: null })
    assert.match(node.stderr(), message)
    assert.match(node.stderr(), /\(AH_CLUSTER_ADDRESS_INVALID\)/)
  }
})

async function listening(t: TestContext): Promise<{ port: number; server: Server }> {
  const port = await freePort()
  const server = createServer().listen(port, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  return { port, server }
}
