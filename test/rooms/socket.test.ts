// The websocket's door: who gets in, and to which routes.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect as dial } from 'node:net'
import { test } from 'node:test'
import { AH_ROOMS_FORBIDDEN, AH_ROOMS_OPTIONS, AH_ROOMS_PUBSUB, fastifyAhRooms } from 'fastify-ah-rooms'
import { startRedis } from 'fastify-ah-test-support'
import { openHandshake } from './handshake.ts'
import { connect, openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)
const other = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `socket-${prefixes}:`, startingRooms: ['lobby'] }
}

/** The status of an upgrade with these raw headers. */
function statusOf(port: number, headers: string[]): Promise<number> {
  const all = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13', 'Sec-WebSocket-Key']
  return new Promise((resolve, reject) => {
    const asked = request({
      port,
      host: '127.0.0.1',
      path: '/ah/ws',
      headers: [...all, 'dGhlIHNhbXBsZSBub25jZQ==', 'Host', `127.0.0.1:${port}`, ...headers] as never,
    })
    asked.once('upgrade', (_, socket) => {
      socket.destroy()
      resolve(101)
    })
    asked.once('response', (answer) => resolve(answer.statusCode ?? 0))
    asked.once('error', reject)
    asked.end()
  })
}

test('[48] pages that are not listed do not get in', async (t) => {
  const origins = ['https://shop.example']
  const { port } = await openRooms(redis.url, { ...fresh(), origins }, t)
  assert.equal(await statusOf(port, ['Origin', 'https://shop.example']), 101)
  assert.equal(await statusOf(port, ['origin', 'HTTPS://SHOP.example']), 101)
  for (const origin of [
    'https://shop.example.evil.example',
    'https://evil-shop.example',
    'https://shop.exampl',
    'http://shop.example',
    'https://shop.example:8443',
    `http://127.0.0.1:${port}`,
    'null',
    '',
  ]) {
    assert.equal(await statusOf(port, ['Origin', origin]), 403, origin)
  }
  assert.equal(await statusOf(port, []), 403)
  assert.equal(await statusOf(port, ['Origin', 'https://shop.example', 'Origin', 'https://evil.example']), 403)
  const own = await openRooms(redis.url, fresh(), t)
  assert.equal(await statusOf(own.port, ['Origin', `http://127.0.0.1:${own.port}`]), 101)
  assert.equal(await statusOf(own.port, ['Origin', 'https://shop.example']), 403)
  const lax = await openRooms(redis.url, { ...fresh(), allowMissingOrigin: true }, t)
  assert.equal(await statusOf(lax.port, []), 101)
})

test('authorize decides before the upgrade, at each join and each message; whoever fails lets nobody in', async (t) => {
  const authorize = {
    connect: ({ headers, url }: { headers: Record<string, unknown>; url: string }) => {
      if (headers['x-fail']) throw new Error('on purpose')
      if (headers['x-yes']) return true as never
      // The others would never find it by that.
      if (headers['x-number']) return { user: 7 } as never
      return url.includes('token=ada') ? { user: 'ada', data: { admin: true } } : (false as const)
    },
    join: (_: unknown, room: string) => room === 'lobby',
    say: async (_: unknown, __: string, message: unknown) => message !== 'no',
  }
  const { app, port, url } = await openRooms(redis.url, { ...fresh(), authorize }, t)
  await app.rooms.add('secret')
  const origin = ['Origin', `http://127.0.0.1:${port}`]
  assert.equal(await statusOf(port, origin), 403)
  assert.equal(await statusOf(port, [...origin, 'x-yes', '1']), 403)
  for (const name of ['x-fail', 'x-number']) assert.equal(await statusOf(port, [...origin, name, '1']), 500)
  await assert.rejects(app.rooms.inject(), AH_ROOMS_FORBIDDEN)
  const client = await connect(`${url}?token=ada`, t)
  assert.deepEqual(app.rooms.connections()[0]!.data, { admin: true })
  assert.equal((await client.request({ event: 'roomAdd', room: 'secret' }))['code'], 'AH_ROOMS_FORBIDDEN')
  await client.request({ event: 'roomAdd', room: 'lobby' })
  assert.equal((await client.request({ event: 'say', room: 'lobby', message: 'no' }))['code'], 'AH_ROOMS_FORBIDDEN')
  assert.equal((await client.request({ event: 'say', room: 'lobby', message: 'yes' }))['data'], true)
})

test('[48] actions: routes that opted in, with the handshake and the params, and no other', async (t) => {
  const { connect } = await openRooms(redis.url, { ...fresh(), metadata: true }, t, (app) => {
    app.get('/metrics', async () => 'secret')
    app.get('/web', { config: { action: 'web', servers: ['web'] } }, async () => ({ secret: true }))
    app.get('/hello/:name', { config: { action: 'hello' } }, async ({ params, query, headers, ip }) => ({
      params,
      query,
      cookie: headers.cookie,
      upgrade: headers.upgrade,
      ip,
    }))
    app.post('/sum', { config: { action: 'sum', servers: ['websocket'] } }, async ({ body }) => ({
      sum: (body as { terms: number[] }).terms.reduce((a, b) => a + b),
    }))
    app.get('/fails', { config: { action: 'fails' } }, async () => {
      throw new Error('on purpose')
    })
    app.get('/list', { config: { action: 'list' } }, async () => [1, 2])
  })
  const client = await connect({ cookie: 'id=7' })
  const act = (params: Record<string, unknown>) => client.request({ event: 'action', params })
  const hello = await act({ action: 'hello', name: 'a/b?c', greeting: 'hi', list: [1, 2], context: 'forged' })
  assert.deepEqual(hello['params'], { name: 'a/b?c' })
  assert.deepEqual(hello['query'], { greeting: 'hi', list: ['1', '2'], context: 'forged' })
  assert.deepEqual(
    [hello['cookie'], hello['upgrade'], hello['ip'], hello['context']],
    ['id=7', undefined, '127.0.0.1', 'response'],
  )
  assert.equal((hello['requesterInformation'] as { messageId: number }).messageId, hello['messageId'])
  assert.equal((await act({ action: 'sum', terms: [1, 2, 3] }))['sum'], 6)
  assert.deepEqual((await act({ action: 'list' }))['data'], [1, 2])
  const failed = await act({ action: 'fails' })
  assert.deepEqual([failed['error'], failed['statusCode']], ['on purpose', 500])
  for (const action of ['web', 'metrics', '/metrics', 'nothing', undefined, {}]) {
    assert.equal((await act({ action }))['code'], 'AH_ROOMS_ACTION', String(action))
  }
  assert.equal((await act({ action: 'hello' }))['code'], 'AH_ROOMS_VERB')
})

test('what would be open in production is refused at boot, and so is another Redis than that of pub/sub', async (t) => {
  process.env['NODE_ENV'] = 'production'
  process.env['SERVER_TOKEN'] = 'a token of the tests, 0123456789 abcdefghijklmnop'
  try {
    await assert.rejects(openRooms(redis.url, fresh(), t), AH_ROOMS_OPTIONS)
    const lax = { ...fresh(), origins: ['https://a.example'], allowMissingOrigin: true }
    await assert.rejects(openRooms(redis.url, lax, t), AH_ROOMS_OPTIONS)
    const { lines } = await openRooms(redis.url, { ...fresh(), origins: ['https://a.example'] }, t)
    assert.ok(lines.some((line) => line.includes('may join every room')))
  } finally {
    delete process.env['NODE_ENV']
    delete process.env['SERVER_TOKEN']
  }
  await assert.rejects(openRooms(redis.url, { ...fresh(), redis: other.url }, t), AH_ROOMS_PUBSUB)
  await assert.rejects(openRooms(redis.url, { ...fresh(), pubsub: 'elsewhere' }, t), AH_ROOMS_PUBSUB)
  const taken = openRooms(redis.url, fresh(), t, (app) => app.decorate('websocketServer', {}))
  await assert.rejects(taken, AH_ROOMS_OPTIONS)
})

test('upgrades of other paths are refused, a half handshake harms nobody', async (t) => {
  const { port, connect } = await openRooms(redis.url, fresh(), t)
  await assert.rejects(openHandshake(port, t, '/other'), /404/)
  const half = dial(port, '127.0.0.1')
  half.write('GET /ah/ws HTTP/1.1\r\nUpgrade: websocket\r\n')
  half.resetAndDestroy()
  const client = await connect()
  assert.equal((await client.request({ event: 'detailsView' }))['status'], 'OK')
})

test('two in one app: each at its own paths; one that takes the path of the other is said at boot', async (t) => {
  const second = (primusPath: string) => ({
    ...fresh(),
    redis: redis.url,
    decorator: 'others',
    path: '/others/ws',
    primusPath,
  })
  const { app, port } = await openRooms(redis.url, fresh(), t, async (app) => {
    await app.register(fastifyAhRooms, second('/others/primus'))
  })
  for (const path of ['/ah/ws', '/primus', '/others/ws', '/others/primus']) {
    await connect(`ws://127.0.0.1:${port}${path}`, t)
  }
  const others = (app as unknown as { others: typeof app.rooms }).others
  assert.deepEqual([app.rooms.connections().length, others.connections().length], [2, 2])
  const taken = openRooms(redis.url, fresh(), t, async (app) => {
    await app.register(fastifyAhRooms, second('/primus'))
  })
  await assert.rejects(taken, { code: 'AH_KIT_UPGRADE_TAKEN', message: /\/primus/ })
})
