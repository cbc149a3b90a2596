// What an app is given: its options, its kind of server, health routes, its place in the cluster, the embedded store.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { request as requestHttps } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type TestContext } from 'node:test'
import type { ClusterStatus } from 'fastify-ah-cluster'
import { httpGet, spawnNode, tempDir, until } from 'fastify-ah-test-support'
import { Redis } from 'ioredis'
import { command, fixture, getJson, spawnCluster, startCluster } from './running.ts'

test("the options that the app exports are the server's and the plugin's", async (t) => {
  const options = { ignoreTrailingSlash: true, prefix: '/api', mine: 7, trustProxy: true }
  const cluster = await startCluster({ app: 'plain', workers: 1, env: { APP_OPTIONS: JSON.stringify(options) } }, t)
  const answer = await httpGet(cluster.target, { path: '/api/', headers: { 'x-forwarded-for': '203.0.113.7' } })
  const { given, ip, isRoot } = JSON.parse(answer.body) as { given: object; ip: string; isRoot: boolean }
  assert.equal(ip, '203.0.113.7')
  assert.deepEqual(given, options)
  assert.equal(isRoot, false, 'the plugin has a scope of its own')
})

test('with skipOverride among its options the app is registered without a scope of its own', async (t) => {
  const env = { APP_OPTIONS: JSON.stringify({ skipOverride: true }) }
  const cluster = await startCluster({ app: 'plain', workers: 1, env }, t)
  assert.equal((await getJson(cluster.target, '/'))['isRoot'], true)
})

test('on a unix socket the proxy is trusted unless the app says otherwise', async (t) => {
  const socket = join(tempDir(t).path, 'app.sock')
  const env = { APP_OPTIONS: JSON.stringify({ trustProxy: false }) }
  const cluster = await startCluster({ app: 'plain', workers: 1, socket, env }, t)
  const { body } = await httpGet(cluster.target, { headers: { 'x-forwarded-for': '203.0.113.7' } })
  assert.notEqual((JSON.parse(body) as { ip: string }).ip, '203.0.113.7')
})

test('an app without the plugin gets health routes, no decorator, and keeps its own routes', async (t) => {
  const bare = await startCluster({ app: 'plain', workers: 1 }, t)
  assert.equal((await getJson(bare.target, '/'))['hasCluster'], false)
  assert.deepEqual(await getJson(bare.target, '/health/live'), { status: 'live' })
  assert.deepEqual(await getJson(bare.target, '/health/ready'), { status: 'ready' })
  const own = await startCluster({ app: 'plain', workers: 1, env: { APP_HEALTH: 'own' } }, t)
  assert.deepEqual(await getJson(own.target, '/health/live'), { status: 'live' })
  assert.deepEqual(await getJson(own.target, '/health/ready'), { status: 'my own' })
})

test('each worker knows its number, its title, its role and its release; a replacement takes the number over', async (t) => {
  const env = { ACTIONHERO_ROLE: 'web' }
  const cluster = await startCluster({ env, args: ['--title', 'shop'] }, t)
  const places = new Map<number, { cluster: object; argv: string[] }>()
  const look = async (count: number) =>
    until(async () => {
      const who = await getJson<{ cluster: { id: number }; pid: number; argv: string[] }>(cluster.target, '/who')
      places.set(who.cluster.id, who)
      return places.size === count
    })
  await look(2)
  for (const id of [1, 2]) {
    assert.deepEqual(places.get(id)!.cluster, {
      id,
      title: `shop-worker-${id}`,
      role: 'web',
      generation: 1,
      isWorker: true,
    })
    assert.deepEqual(places.get(id)!.argv, [fixture('app')], 'for those who read ps')
  }
  const before = await cluster.untilServing()
  process.kill(before[0]!, 'SIGKILL')
  const after = await cluster.untilServing({ not: [before[0]!] }).then(() => cluster.untilServing())
  const { workers, address, ...status } = await getJson<ClusterStatus>(cluster.target, '/status')
  assert.match(address!, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.deepEqual(
    workers.map(({ id, state, generation, restarts }) => ({ id, state, generation, restarts })),
    [
      { id: 1, state: 'started', generation: 1, restarts: 1 },
      { id: 2, state: 'started', generation: 1, restarts: 0 },
    ],
  )
  assert.deepEqual(workers.map(({ pid }) => pid).sort(), [...after].sort())
  assert.ok(workers.every(({ uptimeMs }) => uptimeMs > 0))
  const whole = { title: 'shop', primaryPid: cluster.pid, generation: 1, uptimeMs: 0, wanted: 2, isFlapping: false }
  assert.deepEqual({ ...status, uptimeMs: 0 }, whole)
})

for (const kind of ['https', 'http2'] as const) {
  test(`an app with ${kind} listens on the cluster's socket, and its drain answers what is in hand`, async (t) => {
    const cluster = await startCluster({ app: 'tls', workers: 1, env: { APP_SERVER: kind, ...certificate(t) } }, t)
    const { port } = cluster.target as { port: number }
    const first = await tlsGet(port, '/')
    assert.equal(first.status, 200)
    const slow = tlsGet(port, '/slow')
    const answers = kind === 'http2' ? http2Get(port, ['/slow', '/slow']) : undefined
    await until(async () => Number((await tlsGet(port, '/in-hand')).body) === (kind === 'http2' ? 3 : 1))
    const exited = cluster.stop()
    assert.equal((await slow).status, 200)
    if (answers !== undefined) assert.deepEqual(await answers, [200, 200])
    assert.deepEqual(await exited, { code: 0, signal: null })
  })
}

test('HTTP/2 without TLS works as well', async (t) => {
  const cluster = await startCluster({ app: 'tls', workers: 2, env: { APP_SERVER: 'h2c' } }, t)
  const { port } = cluster.target as { port: number }
  assert.deepEqual(await http2Get(port, ['/', '/', '/'], 'http'), [200, 200, 200])
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
})

test("a server that the app makes itself listens on the cluster's socket; one that is no server is a clear error", async (t) => {
  const cluster = await startCluster({ app: 'tls', workers: 2, env: { APP_SERVER: 'factory' } }, t)
  assert.equal((await httpGet(cluster.target)).status, 200)
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
  const foreign = await spawnCluster({ app: 'tls', env: { APP_SERVER: 'foreign' } }, t)
  assert.deepEqual(await foreign.node.exited, { code: 1, signal: null })
  assert.match(foreign.node.stderr(), /the serverFactory of the app must answer a server .*\(AH_CLUSTER_APP_INVALID\)/)
})

test('upgraded connections belong to their plugin: its drain part ends them, and then the stop does not wait', async (t) => {
  const cluster = await startCluster({ app: 'upgrade', workers: 1, args: ['--drain-ms', '60000'] }, t)
  const { port } = cluster.target as { port: number }
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  let received = ''
  socket.setEncoding('utf8').on('data', (data: string) => {
    received += data
  })
  socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
  await until(() => received.includes('hello'))
  const exited = cluster.stop()
  await until(() => received.endsWith('goodbye\n'))
  socket.end()
  assert.deepEqual(await exited, { code: 0, signal: null })
  assert.match(cluster.node.stdout(), /onClose ran/)
})

test('the workers share the embedded store of the primary; in production it must be asked for', async (t) => {
  const asked = await startCluster({ isEmbedded: true, env: { NODE_ENV: 'production' } }, t)
  const { redisUrl } = await getJson<{ redisUrl: string }>(asked.target, '/who')
  const client = new Redis(redisUrl)
  t.after(() => client.disconnect())
  assert.equal(await client.set('key', 'value'), 'OK')
  const stopped = asked.stop()
  client.disconnect()
  assert.deepEqual(await stopped, { code: 0, signal: null })

  const start = (env: Record<string, string>) => {
    const args = ['start', 'cluster', fixture('app'), '-w', '1', '--host', '127.0.0.1', '--port', '0']
    args.push('--pids', tempDir(t).path)
    return spawnNode(command, { args, env }, t)
  }
  for (const [env, isStarted] of [
    [{}, true],
    [{ REDIS_URL: 'redis://127.0.0.1:1' }, false],
    [{ NODE_ENV: 'production' }, false],
  ] as [Record<string, string>, boolean][]) {
    const node = start(env)
    const [, port] = await node.waitForLine(/equilibrium.*http:\/\/127\.0\.0\.1:(\d+)/, 30_000)
    const who = await getJson<{ redisUrl?: string }>({ port: Number(port) }, '/who')
    assert.equal(who.redisUrl !== undefined && who.redisUrl !== env['REDIS_URL'], isStarted)
    assert.equal(node.stdout().includes('the workers share a store in memory'), isStarted)
  }
})

test('the primary stays small', async (t) => {
  const cluster = await startCluster({}, t)
  const anonymousKb = (pid: number) =>
    Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
  const bare = spawnNode(join(import.meta.dirname, 'fixtures/idle.js'), {}, t)
  await bare.waitForLine(/idle/)
  const added = anonymousKb(cluster.pid) - anonymousKb(bare.pid)
  t.diagnostic(`${Math.round(added / 1024)} MB more than a bare Node process`)
  assert.ok(added < 60 * 1024, `${added} kB`)
})

/** A certificate of its own, through the environment. */
function certificate(t: TestContext): { APP_KEY: string; APP_CERT: string } {
  const dir = tempDir(t).path
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-days', '1', '-nodes']
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', key, '-out', cert]
  execFileSync('openssl', [...args, ...subject], { stdio: 'ignore' })
  return { APP_KEY: readFileSync(key, 'utf8'), APP_CERT: readFileSync(cert, 'utf8') }
}

async function tlsGet(port: number, path: string): Promise<{ status: number; body: string }> {
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const options = { port, path, host: '127.0.0.1', rejectUnauthorized: false, agent: false }
    requestHttps(options, resolve).once('error', reject).end()
  })
  return { status: response.statusCode!, body: await text(response) }
}

/** All paths at once over one session. */
async function http2Get(port: number, paths: string[], scheme = 'https'): Promise<number[]> {
  const session = connectHttp2(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false })
  try {
    return await Promise.all(
      paths.map(async (path) => {
        const stream = session.request({ ':path': path })
        const status = await new Promise<number>((resolve, reject) => {
          stream.once('response', (headers) => resolve(Number(headers[':status'])))
          stream.once('error', reject)
          session.once('error', reject)
        })
        await text(stream)
        return status
      }),
    )
  } finally {
    session.close()
  }
}
