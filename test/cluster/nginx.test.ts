// The cluster behind a real nginx, with the configuration of examples/deploy: addresses, upgrades, limits, static pages.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type TestContext } from 'node:test'
import {
  atEnd,
  type DeployedNginx,
  type Deployment,
  httpGet,
  startDeployedNginx,
  tempDir,
  until,
} from 'fastify-ah-test-support'
import { appFile } from './app-file.ts'
import { type RunningCluster, startCluster } from './running.ts'

const APP = `
import { setTimeout as sleep } from 'node:timers/promises'
export default async function app(app) {
  app.server.on('upgrade', (request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: websocket\\r\\n\\r\\n')
    socket.write(JSON.stringify({ url: request.url, forwarded: request.headers['x-forwarded-for'] }) + '\\n')
    socket.pipe(socket)
  })
  let connections = 0
  const numbers = new WeakMap()
  app.server.on('connection', (socket) => {
    numbers.set(socket, (connections += 1))
    socket.once('end', () => console.log('nginx ends the idle connection'))
  })
  const seen = (request) => {
    const connection = process.pid + '/' + numbers.get(request.raw.socket)
    const { ip, ips, protocol, host, url, method, headers } = request
    return { from: 'app', connection, ip, ips, protocol, host, url, method, headers }
  }
  app.get('/*', async (request) => seen(request))
  app.post('/*', async (request) => ({ ...seen(request), bytes: JSON.stringify(request.body).length }))
  app.get('/large', async () => ({ text: 'many words '.repeat(1000) }))
  app.get('/events', (request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.raw.write('data: first\\n\\n')
    request.raw.once('close', () => reply.raw.end())
  })
}\n`

interface Seen {
  readonly from: string
  readonly connection: string
  readonly ip: string
  readonly protocol: string
  readonly host: string
  readonly method: string
  readonly bytes: number
  readonly headers: Record<string, string | undefined>
}

test('the app behind a unix socket knows the client: address, host and protocol', async (t) => {
  const { nginx, accessLog } = await deployed(t)
  const { ip, protocol, host, headers } = await seen(nginx.port, '/who', { host: 'www.example.org' })
  assert.deepEqual([ip, protocol, host], ['127.0.0.1', 'http', 'www.example.org'])
  assert.match(headers['x-request-id']!, /^[\da-f]{32}$/)
  await until(() => accessLog().includes(headers['x-request-id']!), { what: 'the line of the log, with the same id' })
  assert.match(accessLog(), /^127\.0\.0\.1 [\da-f]{32} \[\S+\] "GET \/who HTTP\/1\.1" 200 \d+ [\d.]+\/[\d.]+ "-" "-"$/m)
})

test('a client cannot say that it is somebody else', async (t) => {
  const { nginx } = await deployed(t)
  const { ip, protocol, host, headers } = await seen(nginx.port, '/who', {
    host: 'www.example.org',
    'x-forwarded-for': '1.2.3.4',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.example',
    'x-real-ip': '1.2.3.4',
  })
  assert.deepEqual([ip, protocol, host], ['127.0.0.1', 'http', 'www.example.org'])
  assert.equal(headers['x-real-ip'], '127.0.0.1')
})

test('the load balancer can: its X-Forwarded-For and X-Forwarded-Proto count, not what the client had put before', async (t) => {
  const { nginx } = await deployed(t, { isBehindBalancer: true })
  const { ip, protocol } = await seen(nginx.port, '/who', {
    'x-forwarded-for': '1.2.3.4, 203.0.113.9',
    'x-forwarded-proto': 'https',
  })
  assert.deepEqual([ip, protocol], ['203.0.113.9', 'https'])
  const odd = await seen(nginx.port, '/who', { 'x-forwarded-proto': 'gopher' })
  assert.equal(odd.protocol, 'http')
})

for (const path of ['/ah/ws', '/primus?_primuscb=x', '/faye']) {
  test(`a websocket on ${path} passes through, both ways`, async (t) => {
    const { nginx } = await deployed(t)
    const socket = await upgraded(t, nginx.port, path)
    const [hello] = (await once(socket, 'data')) as [Buffer]
    assert.deepEqual(JSON.parse(String(hello)), { url: path, forwarded: '127.0.0.1' })
    socket.write('ping')
    assert.equal(String((await once(socket, 'data'))[0]), 'ping')
  })
}

test('nothing else is upgraded: no other path, no other protocol', async (t) => {
  const { nginx } = await deployed(t)
  for (const [path, protocol] of [
    ['/ah/wsx', 'websocket'],
    ['/', 'websocket'],
    ['/ah/ws', 'h2c'],
  ] as const) {
    const { from, headers } = await seen(nginx.port, path, { connection: 'upgrade', upgrade: protocol })
    assert.deepEqual([from, headers['upgrade'], headers['connection']], ['app', undefined, undefined], path)
  }
})

test('a websocket that is cut from either side is cut on the other', async (t) => {
  const { nginx, cluster } = await deployed(t)
  const socket = await upgraded(t, nginx.port, '/ah/ws')
  await once(socket, 'data')
  // Reset or ended: gone is gone.
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  for (const pid of cluster.workers()) process.kill(pid, 'SIGKILL')
  await closed
})

test('a body above the limit is refused by nginx, one below reaches the app whole', async (t) => {
  const { nginx } = await deployed(t)
  const fits = JSON.stringify({ text: 'x'.repeat(900_000) })
  const fine = await post(nginx.port, '/upload', fits)
  assert.deepEqual([fine.status, (JSON.parse(fine.body) as Seen).bytes], [200, fits.length])
  const tooLarge = await post(nginx.port, '/upload', JSON.stringify({ text: 'x'.repeat(1_100_000) }))
  assert.equal(tooLarge.status, 413)
  assert.match(tooLarge.body, /nginx/, 'the app never saw it')
})

test('JSON is compressed for whoever takes it', async (t) => {
  const { nginx } = await deployed(t)
  const gzipped = await httpGet(nginx, { path: '/large', headers: { 'accept-encoding': 'gzip' } })
  assert.equal(gzipped.headers['content-encoding'], 'gzip')
  assert.equal(gzipped.headers.vary, 'Accept-Encoding')
  const plain = await httpGet(nginx, { path: '/large' })
  assert.equal(plain.headers['content-encoding'], undefined)
  assert.equal(plain.body.length, JSON.stringify({ text: 'many words '.repeat(1000) }).length)
})

test('server-sent events leave at once, also to whoever takes gzip', async (t) => {
  const { nginx } = await deployed(t)
  const asked = request({
    port: nginx.port,
    host: '127.0.0.1',
    path: '/events',
    headers: { 'accept-encoding': 'gzip' },
  })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
  const [first] = (await once(answer, 'data')) as [Buffer]
  assert.equal(String(first), 'data: first\n\n')
  answer.destroy()
})

test('static files and cached pages come from nginx, all else and every POST from the app', async (t) => {
  const { nginx } = await deployed(t, {
    pages: {
      'robots.txt': 'a static file',
      'cache/about.html': 'a cached page',
      'cache/news/index.html': 'cached news',
      'docs/index.html': 'an index',
      '.env': 'SECRET=1',
    },
  })
  const body = async (path: string) => (await httpGet(nginx, { path })).body
  assert.equal(await body('/robots.txt'), 'a static file')
  assert.equal(await body('/about'), 'a cached page')
  assert.equal(await body('/news'), 'cached news')
  assert.equal(await body('/docs'), 'an index')
  const { headers } = await httpGet(nginx, { path: '/robots.txt' })
  const again = await httpGet(nginx, {
    path: '/robots.txt',
    headers: { 'if-modified-since': headers['last-modified']! },
  })
  assert.equal(again.status, 304)
  for (const path of ['/', '/other', '/about/us']) assert.equal((await seen(nginx.port, path, {})).from, 'app', path)
  const posted = await post(nginx.port, '/about', '{"a":1}')
  assert.deepEqual([posted.status, (JSON.parse(posted.body) as Seen).method], [200, 'POST'])
  assert.equal((await httpGet(nginx, { path: '/.env' })).status, 404)
})

test('the health routes are for the load balancer alone', async (t) => {
  const { nginx } = await deployed(t)
  assert.equal((await httpGet(nginx, { path: '/health/ready' })).status, 200)
  const { nginx: behind } = await deployed(t, { isBehindBalancer: true })
  const stranger = { 'x-forwarded-for': '203.0.113.9' }
  assert.equal((await httpGet(behind, { path: '/health/ready', headers: stranger })).status, 403)
})

test('connections to the app are kept between requests, and it is nginx that ends them', async (t) => {
  const { nginx, cluster } = await deployed(t)
  const connections = new Set<string>()
  for (let count = 0; count < 20; count += 1) connections.add((await seen(nginx.port, '/', {})).connection)
  assert.ok(connections.size <= 2, `one for each worker of nginx, not ${connections.size}`)
  // The app would keep them for more than a minute.
  await cluster.node.waitForLine(/nginx ends the idle connection/)
})

interface Deployed extends DeployedNginx {
  readonly cluster: RunningCluster
}

async function deployed(t: TestContext, options: Omit<Deployment, 'socket'> = {}): Promise<Deployed> {
  const socket = join(tempDir(t).path, 'web.sock')
  const app = appFile(t, { 'app.mjs': APP })
  const cluster = await startCluster({ app, socket, args: ['--socket-mode', '0660'] }, t)
  return { cluster, ...(await startDeployedNginx({ socket, ...options }, t)) }
}

async function seen(port: number, path: string, headers: Record<string, string>): Promise<Seen> {
  const { status, body } = await httpGet({ port }, { path, headers })
  assert.equal(status, 200, body)
  return JSON.parse(body) as Seen
}

async function post(port: number, path: string, body: string): Promise<{ status: number; body: string }> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const asked = request({ port, host: '127.0.0.1', path, method: 'POST', headers })
  const answered = once(asked, 'response') as Promise<[import('node:http').IncomingMessage]>
  asked.end(body)
  const [answer] = await answered
  return { status: answer.statusCode!, body: await text(answer) }
}

async function upgraded(t: TestContext, port: number, path: string): Promise<Socket> {
  const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
  const asked = request({ port, host: '127.0.0.1', path, headers, agent: false })
  asked.end()
  const [answer, socket, head] = (await once(asked, 'upgrade')) as [import('node:http').IncomingMessage, Socket, Buffer]
  atEnd(t, () => void socket.destroy())
  assert.equal(answer.statusCode, 101)
  if (head.length > 0) socket.unshift(head)
  return socket
}
