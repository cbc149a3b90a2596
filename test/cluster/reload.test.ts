// The rolling reload: no request is lost, and a release that does not start changes nothing.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { httpGet, isAlive, random, scaled, startNginx, tempDir, until } from 'fastify-ah-test-support'
import { type LoadOptions, startLoad } from './load.ts'
import { rawConnection } from './raw-connection.ts'
import { getJson, type RunningCluster, startCluster } from './running.ts'

const BODY = 16 * 1024
const LOADS = {
  'keep-alive': { isKeepAlive: true },
  'close per request': { isKeepAlive: false },
  'POST of 16 KB': { isKeepAlive: true, bodyBytes: BODY },
} as const satisfies Record<string, Omit<LoadOptions, 'clients'>>

type Way = 'TCP' | 'unix socket' | 'nginx'

// All of them at full scale, the first three at the small one.
const MODES: [keyof typeof LOADS, Way][] = [
  ['keep-alive', 'TCP'],
  ['close per request', 'unix socket'],
  ['POST of 16 KB', 'nginx'],
  ['close per request', 'TCP'],
  ['POST of 16 KB', 'TCP'],
  ['keep-alive', 'unix socket'],
  ['POST of 16 KB', 'unix socket'],
  ['keep-alive', 'nginx'],
  ['close per request', 'nginx'],
]

for (const [load, way] of MODES.slice(0, scaled(MODES.length, 3))) {
  test(`[60] reloads under load lose no request: ${load}, ${way}`, async (t) => {
    const { cluster, target } = await started(t, way)
    const clients = startLoad(target, { clients: 32, ...LOADS[load] }, t)
    await until(() => clients.answered > 100)
    const reloads = scaled(20, 5)
    for (let reload = 1; reload <= reloads; reload += 1) {
      const { code, stdout } = await cluster.ask('reload')
      assert.equal(code, 0, stdout)
      assert.match(stdout, new RegExp(`all workers run generation ${reload + 1}\\n$`))
    }
    await until(() => clients.answered > scaled(30_000, 1_500), { deadlineMs: 120_000 })
    await clients.stop()
    assert.deepEqual(clients.failures, [])
    assert.ok(clients.pids.size >= 2 * reloads, `${clients.pids.size} workers answered`)
    assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
  })
}

test('[60] clients that pause about as long as the drain lasts lose a connection at most, and only an idle one', async (t) => {
  const drainMs = scaled(5_000, 1_000)
  const { cluster, target } = await started(t, 'TCP', ['--drain-ms', String(drainMs)])
  const pauseMs = () => drainMs * (0.1 + 1.1 * random())
  const clients = startLoad(target, { clients: 64, isKeepAlive: true, pauseMs }, t)
  for (let reload = 0; reload < scaled(20, 5); reload += 1) assert.equal((await cluster.ask('reload')).code, 0)
  await clients.stop()
  // Closed by the worker at the end of its drain, in the moment in which the client writes again.
  const idle = clients.failures.filter(({ idleMs, code }) => code === 'ECONNRESET' && idleMs >= drainMs * 0.9)
  t.diagnostic(
    `${clients.answered} answers, ${idle.length} idle connections closed in the moment of their next request`,
  )
  assert.deepEqual(
    clients.failures.filter((failure) => !idle.includes(failure)),
    [],
  )
  assert.ok(clients.answered > 64)
})

test('[67] what is being answered goes on to its end: a slow answer, a download, an upload, a stream of events', async (t) => {
  const { cluster, target } = await started(t, 'TCP', ['--workers', '1', '--drain-ms', '30000'])
  const slow = httpGet(target, { path: `/slow?ms=${scaled(20_000, 2_000)}`, timeoutMs: 60_000 })
  await until(async () => (await getJson<number>(target, '/in-hand')) > 0)
  const download = httpGet(target, { path: '/download?pieces=100', timeoutMs: 60_000 })
  const events = httpGet(target, { path: '/events', timeoutMs: 60_000 })
  const upload = await rawConnection(target, t)
  const body = JSON.stringify({ sent: 'x'.repeat(1000) })
  const head = `POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`
  upload.write(`${head}\r\n\r\n${body.slice(0, 500)}`)
  const before = cluster.workers()
  const reload = cluster.ask('reload')
  await cluster.untilServing({ count: 1, not: before })
  assert.deepEqual(before.filter(isAlive), before, 'the old one still answers')
  upload.write(body.slice(500))
  await upload.ended
  assert.match(upload.text(), /^HTTP\/1\.1 200 /)
  assert.ok(upload.text().endsWith(body))
  assert.equal((await download).body.length, 100_000)
  assert.equal((await events).body, 'event: hello\n\nevent: bye\n\n')
  const { pid } = JSON.parse((await slow).body) as { pid: number }
  assert.deepEqual([pid], before)
  assert.match((await reload).stdout, /1 of 1 workers ready, 1 older draining/)
})

test('[62] a release that throws, exits or is never ready is given up with its error; the old workers serve on', async (t) => {
  const { cluster, release } = await released(t, ['--ready-ms', '2000'])
  const before = cluster.workers()
  for (const [text, message] of [
    ['throw', /this release does not start/],
    ['exit', /ended by itself with exit code 7/],
    ['never', /was not ready within 2000 ms/],
  ] as const) {
    release(text)
    const { code, stderr } = await cluster.ask('reload')
    assert.equal(code, 1)
    assert.match(stderr, message)
    assert.deepEqual(cluster.workers(), before)
    assert.equal((await getJson(cluster.target, '/'))['release'], 'one')
  }
  release('two')
  assert.equal((await cluster.ask('reload')).code, 0)
  await until(() => before.filter(isAlive).length === 0)
  assert.equal((await getJson(cluster.target, '/'))['release'], 'two')
  const status = JSON.parse((await cluster.ask('status', '--json')).stdout) as { generation: number }
  assert.equal(status.generation, 5, 'failed attempts have a number too')
})

test('[62] a reload during a reload is queued, further wishes join it, and each learns how its own ended', async (t) => {
  const { cluster, release } = await released(t)
  release('slow two')
  const first = cluster.ask('reload')
  await cluster.node.waitForLine(/the cluster reloads/)
  const [second, third] = [cluster.ask('reload'), cluster.ask('reload')]
  assert.match((await first).stdout, /all workers run generation 2\n$/)
  const [two, three] = await Promise.all([second, third])
  assert.equal(two.code, 0)
  assert.match(two.stdout, /all workers run generation 3\n$/)
  assert.match(three.stdout, /all workers run generation 3\n$/)
  assert.equal(cluster.log().filter(({ msg }) => msg.startsWith('the cluster reloads')).length, 2)
})

test('app.cluster.reload() answers at once with the generation that comes', async (t) => {
  const { cluster, release } = await released(t)
  const before = cluster.workers()
  release('two')
  const answer = await fetch(`http://127.0.0.1:${(cluster.target as { port: number }).port}/reload`, { method: 'POST' })
  assert.deepEqual(await answer.json(), { generation: 2 })
  await until(() => before.filter(isAlive).length === 0)
  assert.equal((await getJson(cluster.target, '/'))['release'], 'two')
})

test('[62] a worker that dies during a reload is replaced by one of the new release, and the reload ends well', async (t) => {
  const { cluster, release } = await released(t)
  const before = cluster.workers()
  release('slow two')
  const reload = cluster.ask('reload')
  await cluster.node.waitForLine(/the cluster reloads/)
  process.kill(before[1]!, 'SIGKILL')
  assert.equal((await reload).code, 0)
  assert.equal((await cluster.untilServing({ not: before })).length, 2)
})

/** A cluster of the usual app, and where clients find it. */
async function started(t: TestContext, way: Way, args: string[] = []) {
  if (way === 'TCP') {
    const cluster = await startCluster({ args, ...(args.includes('--workers') ? { workers: 1 } : {}) }, t)
    return { cluster, target: cluster.target }
  }
  const socket = join(tempDir(t).path, 'app.sock')
  const cluster = await startCluster({ socket, args }, t)
  if (way === 'unix socket') return { cluster, target: cluster.target }
  const nginx = await startNginx(
    {
      conf: ({ port }) => `
        upstream app { server unix:${socket}; keepalive 16; }
        server {
          listen 127.0.0.1:${port};
          client_max_body_size 1m;
          location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
        }`,
    },
    t,
  )
  return { cluster, target: { port: nginx.port } }
}

/** A cluster whose release is what `release(text)` wrote last, "one" at first. */
async function released(
  t: TestContext,
  args: string[] = [],
): Promise<{ cluster: RunningCluster; release: (text: string) => void }> {
  const file = join(tempDir(t).path, 'release')
  const release = (text: string) => writeFileSync(file, text)
  release('one')
  const cluster = await startCluster({ app: 'release', args, env: { RELEASE_FILE: file } }, t)
  return { cluster, release }
}
