// The orderly end: what is being answered is answered, nothing is left, and whoever insists is obeyed.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { type HttpTarget, httpGet, isAlive, processTree, tempDir, until } from 'fastify-ah-test-support'
import { startLoad } from './load.ts'
import { rawConnection } from './raw-connection.ts'
import { getJson, spawnCluster, startCluster } from './running.ts'

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} stops everything in order: exit code 0, no process, no socket, no temporary folder`, async (t) => {
    const socket = join(tempDir(t).path, 'app.sock')
    const cluster = await startCluster({ socket, isEmbedded: true }, t)
    const all = processTree(cluster.pid)
    assert.equal(all.length, 2)
    assert.notDeepEqual(readdirSync(cluster.node.tmpDir), [], 'the store has its folder')
    cluster.node.kill(signal)
    assert.deepEqual(await cluster.node.exited, { code: 0, signal: null })
    assert.deepEqual(all.filter(isAlive), [])
    assert.deepEqual(readdirSync(join(socket, '..')), [])
    assert.deepEqual(readdirSync(cluster.node.tmpDir), [])
    assert.deepEqual(readdirSync(cluster.pids), [])
  })
}

test('no request that came before the end is lost, whether its connection is kept or closed', async (t) => {
  for (const isKeepAlive of [true, false]) {
    const cluster = await startCluster({}, t)
    const load = startLoad(cluster.target, { clients: 16, isKeepAlive }, t)
    await until(() => load.answered > 200)
    const exited = cluster.stop()
    await until(() => load.failures.length > 0, { what: 'the server is gone' })
    await load.stop()
    assert.deepEqual(await exited, { code: 0, signal: null })
    // The end of the service shows in new connections only.
    assert.deepEqual(
      load.failures.filter(({ lastPid }) => lastPid !== undefined),
      [],
    )
    const resets = load.failures.filter(({ code }) => code !== 'ECONNREFUSED')
    t.diagnostic(`${resets.length} connections came in the very moment of the end`)
    assert.ok(resets.length <= 16, 'at most one of each client')
  }
})

test('requests in hand are answered, with Connection: close, and new connections are refused meanwhile', async (t) => {
  const cluster = await startCluster({ workers: 1 }, t)
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const slow = httpGet(cluster.target, { path: '/slow?ms=1500', agent })
  await until(() => isAsked(cluster.target))
  const exited = cluster.stop()
  await until(async () => (await refused(cluster.target)) === 'ECONNREFUSED')
  const answer = await slow
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.connection, 'close')
  assert.deepEqual(await exited, { code: 0, signal: null })
})

test('[61] a request that an idle connection sends after the stop is answered', async (t) => {
  const cluster = await startCluster({ workers: 1 }, t)
  const connection = await rawConnection(cluster.target, t)
  assert.match(await connection.ask('GET / HTTP/1.1\r\nhost: a\r\n\r\n'), /^HTTP\/1\.1 200.*connection: keep-alive/is)
  const exited = cluster.stop()
  await until(async () => (await refused(cluster.target)) === 'ECONNREFUSED')
  assert.match(await connection.ask('GET / HTTP/1.1\r\nhost: a\r\n\r\n'), /^HTTP\/1\.1 200.*connection: close/is)
  assert.deepEqual(await exited, { code: 0, signal: null })
})

test('[61] of requests that an idle connection sends in one packet after the stop each is answered', async (t) => {
  const cluster = await startCluster({ workers: 1 }, t)
  const connection = await rawConnection(cluster.target, t)
  await connection.ask('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  const exited = cluster.stop()
  await until(async () => (await refused(cluster.target)) === 'ECONNREFUSED')
  connection.write('GET /slow?ms=100 HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(3))
  await connection.ended
  const answers = connection.text().split('HTTP/1.1 200').slice(2)
  assert.equal(answers.length, 3)
  assert.deepEqual(
    answers.map((answer) => /^connection: (.*)$/im.exec(answer)?.[1]?.trim()),
    [undefined, undefined, 'close'],
  )
  assert.deepEqual(await exited, { code: 0, signal: null })
})

test('of requests that were in line on a connection when the stop came each is answered', async (t) => {
  const cluster = await startCluster({ workers: 1 }, t)
  const connection = await rawConnection(cluster.target, t)
  connection.write('GET /slow?ms=600 HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(3))
  await until(async () => (await getJson<number>(cluster.target, '/in-hand')) === 3)
  const exited = cluster.stop()
  await connection.ended
  const answers = connection.text().split('HTTP/1.1 200').slice(1)
  assert.equal(answers.length, 3)
  assert.match(answers[2]!, /^connection: close/im)
  assert.deepEqual(await exited, { code: 0, signal: null })
})

test('an endless stream and an idle connection are cut when drainMs is over, not before and not much later', async (t) => {
  const cluster = await startCluster({ workers: 1, args: ['--drain-ms', '700'] }, t)
  const stream = await rawConnection(cluster.target, t)
  stream.write('GET /stream HTTP/1.1\r\nhost: a\r\n\r\n')
  const idle = await rawConnection(cluster.target, t)
  await idle.ask('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await until(() => stream.text().includes('data: '))
  const begin = performance.now()
  const exited = cluster.stop()
  await Promise.all([stream.ended, idle.ended])
  // Time is the subject: the drain promises both connections these 700 ms.
  assert.ok(performance.now() - begin >= 690, 'not before')
  assert.deepEqual(await exited, { code: 0, signal: null })
})

test('with notReadyMs the app says that it is not ready and still takes connections', async (t) => {
  const cluster = await startCluster({ workers: 1, args: ['--not-ready-ms', '1500', '--drain-ms', '100'] }, t)
  assert.equal((await httpGet(cluster.target, { path: '/health/ready' })).status, 200)
  const exited = cluster.stop()
  const answer = await until(async () => {
    const asked = await httpGet(cluster.target, { path: '/health/ready' })
    return asked.status === 503 && asked
  })
  assert.deepEqual(JSON.parse(answer.body), { status: 'not ready', failed: ['cluster'] })
  assert.equal((await httpGet(cluster.target, { path: '/health/live' })).status, 200)
  assert.equal((await httpGet(cluster.target)).status, 200)
  assert.deepEqual(await exited, { code: 0, signal: null })
})

test('[66] a worker that ignores the stop is killed at the deadline, and the exit code says so', async (t) => {
  const cluster = await startCluster({ workers: 2, args: ['--drain-ms', '100'] }, t)
  const blocked = httpGet(cluster.target, { path: '/block', timeoutMs: 30_000 })
  const lost = assert.rejects(blocked, { code: 'ECONNRESET' })
  await cluster.node.waitForLine(/^blocking$/)
  const exit = await cluster.stop()
  await lost
  assert.deepEqual(exit, { code: 1, signal: null })
  assert.equal(cluster.log().filter(({ msg }) => msg.includes('overdue')).length, 1)
})

test('[68] a second signal kills at once; the same key press heard twice does not', async (t) => {
  const cluster = await startCluster({ workers: 1 }, t)
  const slow = httpGet(cluster.target, { path: '/slow?ms=1000', timeoutMs: 30_000 })
  await until(() => isAsked(cluster.target))
  cluster.node.kill('SIGINT')
  cluster.node.kill('SIGTERM')
  assert.equal((await slow).status, 200, 'the second came in the same moment: npm passes on what it got itself')
  assert.deepEqual(await cluster.node.exited, { code: 0, signal: null })

  const forced = await startCluster({ workers: 1 }, t)
  const lost = assert.rejects(httpGet(forced.target, { path: '/slow?ms=60000', timeoutMs: 30_000 }), {
    code: 'ECONNRESET',
  })
  await until(() => isAsked(forced.target))
  forced.node.kill('SIGTERM')
  await until(() => {
    forced.node.kill('SIGTERM')
    return forced.log().some(({ msg }) => msg === 'worker stopped')
  })
  await lost
  assert.deepEqual(await forced.node.exited, { code: 1, signal: null })
})

test('[68] workers ignore the signals that a terminal sends to its whole group', async (t) => {
  const cluster = await startCluster({}, t)
  const before = cluster.workers()
  for (const pid of before) {
    process.kill(pid, 'SIGINT')
    process.kill(pid, 'SIGHUP')
  }
  for (let asked = 0; asked < 20; asked += 1) await getJson(cluster.target, '/')
  assert.deepEqual(cluster.workers(), before)
  assert.deepEqual(
    cluster.log().filter(({ msg }) => /died|drains/.test(msg)),
    [],
  )
})

test('SIGTERM to one worker drains that one, and another takes its place', async (t) => {
  const cluster = await startCluster({ workers: 1 }, t)
  const [pid] = cluster.workers()
  const slow = httpGet(cluster.target, { path: '/slow?ms=1000' })
  await until(() => isAsked(cluster.target))
  process.kill(pid!, 'SIGTERM')
  await cluster.untilServing({ not: [pid!] })
  assert.deepEqual(JSON.parse((await slow).body), { pid })
  assert.equal((await cluster.stop()).code, 0)
})

test('[68] a stop while the workers boot ends it all too', async (t) => {
  const cluster = await spawnCluster({ app: 'slow-boot' }, t)
  await cluster.node.waitForLine(/worker starts/)
  cluster.node.kill('SIGTERM')
  assert.deepEqual(await cluster.node.exited, { code: 0, signal: null })
  assert.deepEqual(cluster.node.descendants(), [])
})

/** Whether the app of one worker has a request in hand. */
async function isAsked(target: HttpTarget): Promise<boolean> {
  return (await getJson<number>(target, '/in-hand')) > 0
}

function refused(target: HttpTarget): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = 'port' in target ? connect(target.port, '127.0.0.1') : connect(target.socketPath)
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
}
