// The client: joins, talks, comes back by itself from where it was, and gives up when it is told to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { type ConnectOptions, connect, type RoomsClient, type Said } from 'fastify-ah-rooms/client'
import { startProxy, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { WebSocket } from 'ws'
import { openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `client-${prefixes}:`, startingRooms: ['lobby', 'second'], allowMissingOrigin: true }
}

interface Opened {
  readonly client: RoomsClient
  readonly said: Said[]
  readonly events: string[]
}

function open(url: string, t: TestScope, options: ConnectOptions = {}): Opened {
  const client = connect(url, { WebSocket: WebSocket as never, minDelayMs: 30, ...options })
  t.after(() => client.close())
  const said: Said[] = []
  const events: string[] = []
  client.on('message', (message) => said.push(message))
  for (const name of ['connect', 'disconnect', 'closed', 'joined', 'left', 'gap'] as const) {
    client.on(name, (event) => events.push(`${name} ${JSON.stringify(event) ?? ''}`.trim()))
  }
  return { client, said, events }
}

test('joins before there is a connection, says, views, emits, acts, acknowledges, leaves', async (t) => {
  const { app, url } = await openRooms(
    redis.url,
    { ...fresh(), authorize: { connect: ({ url }) => ({ user: url }) } },
    t,
    (app) => {
      app.get('/sum/:a', { config: { action: 'sum' } }, async ({ params, query }) => ({
        sum: Number((params as { a: string }).a) + Number((query as { b: string }).b),
      }))
    },
  )
  app.rooms.on('double', (data) => Number(data) * 2)
  let tokens = 0
  const token = async () => {
    tokens += 1
    return `t${tokens}`
  }
  const ada = open(url, t, { token })
  assert.deepEqual(await ada.client.join('lobby'), { recovered: false })
  assert.deepEqual(await ada.client.join('lobby'), { recovered: true })
  assert.equal(app.rooms.connections()[0]!.user, '/ah/ws?token=t1')
  const id = await ada.client.say('lobby', { hello: 1 })
  await until(() => ada.said.length === 1)
  assert.deepEqual([ada.said[0]!.message, ada.said[0]!.id], [{ hello: 1 }, id])
  assert.equal((await ada.client.view('lobby')).membersCount, 1)
  assert.equal(await ada.client.emit('double', 21), 42)
  assert.equal(((await ada.client.action('sum', { a: 1, b: 2 })) as { sum: number }).sum, 3)
  assert.deepEqual((await ada.client.details())['rooms'], ['lobby'])
  ada.client.handle('count', (data) => Number(data) + 1)
  assert.deepEqual(
    (await app.rooms.to('lobby').emitWithAck('count', 1)).map(({ data }) => data),
    [2],
  )
  await assert.rejects(ada.client.join('nowhere'), { code: 'AH_ROOMS_NOT_FOUND' })
  await assert.rejects(ada.client.say('second', 1), { code: 'AH_ROOMS_NO_MEMBER' })
  await ada.client.leave('lobby')
  assert.deepEqual(ada.client.rooms, [])
  assert.equal((await app.rooms.roomStatus('lobby')).membersCount, 0)
  const server = app.rooms.connections()[0]!
  await app.rooms.addMember(server.id, 'second')
  await until(() => ada.client.rooms.includes('second'))
})

test('[57] cut again and again while people talk: all is heard, once, in order, with a fresh token each time', async (t) => {
  const { app, port } = await openRooms(redis.url, fresh(), t)
  const proxy = await startProxy({ target: { host: '127.0.0.1', port } }, t)
  let tokens = 0
  const token = () => {
    tokens += 1
    return String(tokens)
  }
  const { client, said, events } = open(`http://127.0.0.1:${proxy.port}/ah/ws`, t, { token })
  await client.join('lobby')
  let number = 0
  for (let round = 0; round < 5; round += 1) {
    for (let index = 0; index < 50; index += 1) await app.rooms.broadcast(null, 'lobby', ++number)
    proxy.cut()
    for (let index = 0; index < 50; index += 1) await app.rooms.broadcast(null, 'lobby', ++number)
    await until(() => said.length === number, { what: `${said.length} of ${number}` })
  }
  assert.deepEqual(
    said.map(({ message }) => message),
    Array.from({ length: number }, (_, index) => index + 1),
  )
  assert.ok(tokens >= 6)
  assert.equal(events.filter((event) => event.includes('"recovered":true')).length, 5)
  // Offline: what is asked waits, up to the limit; what was under way is not known to be done.
  proxy.refuse()
  proxy.cut()
  await until(() => !client.isConnected)
  const waiting = client.say('lobby', 'later')
  const aborted = new AbortController()
  const given = client.say('lobby', 'never', { signal: aborted.signal })
  aborted.abort(new Error('changed my mind'))
  await assert.rejects(given, /changed my mind/)
  await assert.rejects(client.say('lobby', 'never', { timeoutMs: 50 }), { code: 'AH_CLIENT_TIMEOUT' })
  const many = Array.from({ length: 40 }, () => client.details({ timeoutMs: 20_000 }))
  const refused = (await Promise.allSettled(many.slice(29))).filter(({ status }) => status === 'rejected')
  assert.equal(refused.length, 11)
  await proxy.accept()
  await waiting
  await until(() => said.at(-1)?.message === 'later')
  await Promise.all(many.slice(0, 29))
})

test('a room that is gone when it comes back is left; a fatal code ends it for good; so does close', async (t) => {
  const { app, port, url } = await openRooms(redis.url, fresh(), t)
  const proxy = await startProxy({ target: { host: '127.0.0.1', port } }, t)
  const { client, events } = open(`ws://127.0.0.1:${proxy.port}/ah/ws`, t)
  for (const room of ['lobby', 'second']) await client.join(room)
  proxy.refuse()
  proxy.cut()
  await until(() => !client.isConnected)
  await app.rooms.destroy('second')
  await proxy.accept()
  await until(() => events.some((event) => /^left .*second/.test(event)))
  await until(() => client.isConnected)
  assert.deepEqual(client.rooms, ['lobby'])
  const [server] = app.rooms.connections()
  await app.rooms.disconnect(server!.id, { code: 4401, reason: 'signed out' })
  await until(() => events.at(-1) === 'closed {"code":4401,"reason":"signed out"}')
  await assert.rejects(client.say('lobby', 1), { code: 'AH_CLIENT_CLOSED' })
  await assert.rejects(client.join('lobby'), { code: 'AH_CLIENT_CLOSED' })
  const other = open(url, t)
  await other.client.join('lobby')
  const waiting = assert.rejects(other.client.emit('nobody', 1), {
    code: /AH_ROOMS_VERB|AH_CLIENT_(CLOSED|DISCONNECTED)/,
  })
  other.client.close()
  await waiting
  await until(() => app.rooms.stats().connections === 0)
})

test('the server restarts: it is back, and a silent one is left', async (t) => {
  const options = { ...fresh(), drainMs: 100 }
  const first = await openRooms(redis.url, options, t)
  const proxy = await startProxy({ target: { host: '127.0.0.1', port: first.port } }, t)
  const { client, events } = open(`ws://127.0.0.1:${first.port}/ah/ws`, t)
  const silent = open(`ws://127.0.0.1:${proxy.port}/ah/ws`, t, { idleMs: 200, timeoutMs: 500 })
  await client.join('lobby')
  await silent.client.join('lobby')
  proxy.swallow()
  await until(() => silent.events.some((event) => event.includes('the server is silent')))
  await first.app.close()
  await until(() => events.some((event) => /^disconnect .*1012/.test(event)))
})

test('the network of a page goes and comes: it says so at once, and is back without the wait that it was in', async (t) => {
  const network = new EventTarget()
  const world = globalThis as { addEventListener?: unknown }
  const own = world.addEventListener
  world.addEventListener = network.addEventListener.bind(network)
  t.after(() => {
    world.addEventListener = own
  })
  const { port } = await openRooms(redis.url, fresh(), t)
  // The waits are as long as they can be.
  t.mock.method(Math, 'random', () => 0.99)
  let isAway = false
  let failures = 0
  const token = async (): Promise<string> => {
    if (!isAway) return 'ok'
    failures += 1
    throw new Error('no network')
  }
  const { client, events } = open(`ws://127.0.0.1:${port}/ah/ws`, t, { token, minDelayMs: 20, maxDelayMs: 60_000 })
  await client.join('lobby')
  isAway = true
  network.dispatchEvent(new Event('offline'))
  assert.equal(client.isConnected, false)
  assert.match(events.at(-1)!, /disconnect .*the network is gone/)
  // The next attempt would be 2.5 s away.
  await until(() => failures === 7)
  isAway = false
  network.dispatchEvent(new Event('online'))
  network.dispatchEvent(new Event('online'))
  await until(() => client.isConnected, { deadlineMs: 2_000 })
  await until(() => events.some((event) => /^joined .*true/.test(event)))
  client.close()
  network.dispatchEvent(new Event('online'))
  network.dispatchEvent(new Event('offline'))
  assert.equal(client.isConnected, false)
})

test('less than 5 kB; served as a module and as a script, with a name that may be kept', async (t) => {
  const { app } = await openRooms(redis.url, fresh(), t)
  const served = await app.inject('/ah/client.mjs')
  assert.equal(served.statusCode, 200)
  assert.match(String(served.headers['content-type']), /javascript/)
  const bytes = gzipSync(served.body, { level: 9 }).length
  assert.ok(bytes < 5 * 1024, `${bytes} bytes`)
  const etag = String(served.headers.etag)
  const again = await app.inject({ url: '/ah/client.mjs', headers: { 'if-none-match': etag } })
  assert.equal(again.statusCode, 304)
  const kept = await app.inject(`/ah/client.${etag.replaceAll('"', '')}.mjs`)
  assert.match(String(kept.headers['cache-control']), /immutable/)
  assert.equal(kept.body, served.body)
  const script = await app.inject('/ah/client.js')
  const world = { AhRooms: undefined as unknown, URL, setTimeout, clearTimeout, console }
  runInNewContext(script.body, Object.assign(world, { globalThis: world }))
  assert.deepEqual(Object.keys(world.AhRooms as object), ['RoomsClient', 'RoomsError', 'connect'])
  const module = (await import(`data:text/javascript,${encodeURIComponent(served.body)}`)) as object
  assert.deepEqual(Object.keys(module), ['RoomsClient', 'RoomsError', 'connect'])
})
