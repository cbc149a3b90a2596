// The primary killed: its workers finish what they answer and go, and a new primary starts over what it left behind.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { httpGet, isAlive, tempDir, until } from 'fastify-ah-test-support'
import { startLoad } from './load.ts'
import { type ClusterUnderTest, getJson, type RunningCluster, spawnCluster, startCluster } from './running.ts'

for (const place of ['a port', 'a unix socket']) {
  const where = (t: TestContext): ClusterUnderTest =>
    place === 'a port' ? {} : { socket: join(tempDir(t).path, 'app.sock') }

  test(`[65] workers on ${place} whose primary is killed answer what they have, drain and exit`, async (t) => {
    const cluster = await startCluster({ ...where(t), args: ['--not-ready-ms', '60000'] }, t)
    const workers = cluster.workers()
    const slow = Array.from({ length: 8 }, () => httpGet(cluster.target, { path: '/slow?ms=1500' }))
    await untilAsked(cluster, 8)
    cluster.node.kill('SIGKILL')
    // Nobody would send requests elsewhere meanwhile: they do not wait notReadyMs before they refuse connections.
    await until(async () => httpGet(cluster.target).then(() => false, refused))
    const answers = await Promise.all(slow)
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    await until(() => !workers.some(isAlive), { what: 'the workers are gone' })
    await cluster.node.exited
    assert.doesNotMatch(cluster.node.stderr(), /Error/)
  })

  test(`[65] a new primary starts at once over what a killed one left on ${place}, with its workers still draining`, async (t) => {
    const first = await startCluster(where(t), t)
    const old = first.workers()
    const slow = old.map(() => httpGet(first.target, { path: '/slow?ms=3000' }))
    await untilAsked(first, old.length)
    first.node.kill('SIGKILL')
    const socket = 'socketPath' in first.target ? first.target.socketPath : undefined
    if (socket !== undefined) assert.ok(existsSync(socket))
    const second = await startCluster('port' in first.target ? { port: first.target.port } : { socket: socket! }, t)
    const { pid } = await getJson<{ pid: number }>(second.target, '/')
    assert.ok(second.workers().includes(pid))
    assert.deepEqual(
      (await Promise.all(slow)).map(({ status }) => status),
      [200, 200],
    )
    await until(() => !old.some(isAlive))
    assert.deepEqual(await second.stop(), { code: 0, signal: null })
    if (socket !== undefined) assert.ok(!existsSync(socket))
  })
}

test('[65] a worker that boots while its primary is killed ends too', async (t) => {
  const cluster = await spawnCluster({ app: 'slow-boot' }, t)
  await cluster.node.waitForLine(/worker starts/)
  cluster.node.kill('SIGKILL')
  await until(() => cluster.node.descendants().length === 0)
})

test('[65] a worker without primary whose connections do not end is gone after its drain', async (t) => {
  const cluster = await startCluster({ workers: 1, args: ['--drain-ms', '500'] }, t)
  const [pid] = cluster.workers()
  const load = startLoad(cluster.target, { clients: 4, isKeepAlive: true }, t)
  const endless = httpGet(cluster.target, { path: '/stream', timeoutMs: 30_000 })
  const cut = assert.rejects(endless, { code: 'ECONNRESET' })
  await until(() => load.answered > 20)
  cluster.node.kill('SIGKILL')
  await until(() => !isAlive(pid!))
  await cut
})

/** Waits until the app has `count` requests in hand: then the answers to come are those of requests that were accepted. */
async function untilAsked(cluster: RunningCluster, count: number): Promise<void> {
  const inHand = new Map<string, number>()
  await until(async () => {
    const { headers, body } = await httpGet(cluster.target, { path: '/in-hand' })
    inHand.set(String(headers['x-pid']), Number(body))
    return [...inHand.values()].reduce((sum, one) => sum + one, 0) >= count
  })
}

function refused(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNREFUSED'
}
