// Where the cluster listens: bound by the primary on every Node, on ports and unix sockets, known to Fastify.
import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import test from 'node:test'
import { freePort, type HttpTarget, httpGet, nodes, spawnNode, tempDir, until } from 'fastify-ah-test-support'
import { command, fixture, getJson, spawnCluster, startCluster } from './running.ts'

interface Who {
  pid: number
  ip: string
  listened: string[]
  isListening: boolean
  address: { address: string; port: number; family: string } | string
  addresses: object[]
}

for (const { version, path: node } of nodes()) {
  test(`Node ${version}: workers listen on a port that the primary has bound, and Fastify knows of it`, async (t) => {
    const cluster = await startCluster({ node }, t)
    const { port } = cluster.target as { port: number }
    const seen = new Set<number>()
    await until(async () => {
      const who = await getJson<Who>(cluster.target, '/who')
      assert.deepEqual(who.address, { address: '127.0.0.1', family: 'IPv4', port })
      assert.deepEqual(who.addresses, [who.address])
      assert.deepEqual(
        { listened: who.listened, isListening: who.isListening },
        { listened: ['onListen'], isListening: true },
      )
      return seen.add(who.pid).size === 2
    })
    assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
    assert.equal(await connectError({ port }), 'ECONNREFUSED')
  })

  test(`Node ${version}: workers listen on a unix socket that the primary has bound, with the proxy trusted`, async (t) => {
    const socket = join(tempDir(t).path, 'app.sock')
    const cluster = await startCluster({ node, socket }, t)
    const { body } = await httpGet(cluster.target, { path: '/who', headers: { 'x-forwarded-for': '203.0.113.7' } })
    const who = JSON.parse(body) as Who
    assert.equal(who.address, socket)
    assert.equal(who.ip, '203.0.113.7')
    assert.deepEqual(
      { listened: who.listened, isListening: who.isListening },
      { listened: ['onListen'], isListening: true },
    )
    assert.ok(statSync(socket).isSocket())
    assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
    assert.ok(!existsSync(socket))
  })

  test(`Node ${version}: what is in hand when the stop comes is answered with Connection: close`, async (t) => {
    const cluster = await startCluster({ node, workers: 1 }, t)
    const agent = new Agent({ keepAlive: true })
    t.after(() => agent.destroy())
    const slow = httpGet(cluster.target, { path: '/slow?ms=1000', agent })
    await until(async () => (await getJson<number>(cluster.target, '/in-hand')) === 1)
    const exited = cluster.stop()
    assert.equal((await slow).headers.connection, 'close')
    assert.deepEqual(await exited, { code: 0, signal: null })
  })

  test(`Node ${version}: one process listens in the same ways`, async (t) => {
    const socket = join(tempDir(t).path, 'app.sock')
    const port = await freePort()
    for (const [args, target] of [
      [['--port', String(port), '--host', '127.0.0.1'], { port }],
      [['--socket', socket], { socketPath: socket }],
    ] as [string[], HttpTarget][]) {
      const single = spawnNode(command, { node, args: ['start', fixture('app'), ...args] }, t)
      await single.waitForLine(/listening on/)
      const who = await getJson<Who & { cluster: object }>(target, '/who')
      assert.equal(who.pid, single.pid)
      assert.deepEqual(who.listened, ['onListen'])
      assert.deepEqual({ isWorker: false, id: 1, generation: 1 }, pick(who.cluster, ['isWorker', 'id', 'generation']))
      single.kill('SIGTERM')
      assert.deepEqual(await single.exited, { code: 0, signal: null })
      assert.ok(!existsSync(socket))
    }
  })
}

test('without a host all interfaces are bound, IPv6 and IPv4 at once', async (t) => {
  const port = await freePort()
  const single = spawnNode(command, { args: ['start', fixture('app'), '--port', String(port)] }, t)
  await single.waitForLine(/listening on .*all interfaces/)
  const { address } = await getJson<Who>({ port }, '/who')
  const family = (address as { family: string }).family
  assert.equal((await httpGet({ port, host: '127.0.0.1' })).status, 200)
  if (family === 'IPv6') assert.equal((await httpGet({ port, host: '::1' })).status, 200)
  assert.ok(['IPv4', 'IPv6'].includes(family))
})

test('port 0 takes a free port, the same for every worker, and says which', async (t) => {
  const cluster = await spawnCluster({ port: 0 }, t)
  const [, port] = await cluster.node.waitForLine(
    /equilibrium state reached.*listening on http:\/\/127\.0\.0\.1:(\d+)/,
    30_000,
  )
  const target = { port: Number(port) }
  const pids = new Set<number>()
  await until(async () => pids.add((await getJson<{ pid: number }>(target, '/')).pid).size === 2)
})

test('a port with a slash is a socket path, a name is looked up, and flags win over PORT', async (t) => {
  const dir = tempDir(t).path
  const path = join(dir, 'a.sock')
  const env = { PORT: path }
  const bySocket = spawnNode(command, { args: ['start', fixture('app')], env }, t)
  await bySocket.waitForLine(/listening on unix:/)
  assert.equal((await httpGet({ socketPath: path })).status, 200)
  const port = await freePort()
  const byPort = spawnNode(
    command,
    { args: ['start', fixture('app'), '-p', String(port), '--host', 'localhost'], env },
    t,
  )
  await byPort.waitForLine(new RegExp(`listening on http://127.0.0.1:${port}`))
  assert.equal((await httpGet({ port })).status, 200)
})

async function connectError(target: HttpTarget): Promise<string | undefined> {
  try {
    await httpGet(target)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

function pick(from: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)))
}
