// ActionHero's own browser client, unchanged, on /primus.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { atEnd, scaled, startProxy, startRedis, until } from 'fastify-ah-test-support'
import { type ActionheroClient, answered, connected, openActionhero, type Reply } from './actionhero-client.ts'
import { Client, openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `primus-${prefixes}:`, startingRooms: ['lobby', 'second'], welcomeMessage: 'Welcome to the tests' }
}

function said(client: ActionheroClient): Reply[] {
  const heard: Reply[] = []
  client.on('say', (message) => heard.push(message))
  return heard
}

test("ActionHero's client connects, joins, talks with ours, views, acts and leaves", async (t) => {
  const files = [fileURLToPath(new URL('..', import.meta.url))]
  let finish: (answer: object) => void = () => undefined
  const slow = new Promise<object>((resolve) => {
    finish = resolve
  })
  const { port, connect: connectOurs } = await openRooms(redis.url, { ...fresh(), files }, t, (app) => {
    app.get('/sum', { config: { action: 'sum' } }, async ({ query }) => {
      const { a, b } = query as { a: string; b: string }
      return { sum: Number(a) + Number(b) }
    })
    app.get('/slow', { config: { action: 'slow' } }, () => slow)
    app.get('/fails', { config: { action: 'fails' } }, async () => {
      throw new Error('on purpose')
    })
  })
  const ada = await openActionhero(port, t, { query: '?sessionID=cookie-7' })
  const details = await connected(ada)
  assert.deepEqual([details['context'], details.data['totalActions'], details.data['rooms']], ['response', 0, []])
  assert.equal(ada.state, 'connected')
  assert.equal(ada.id, details.data['id'])
  assert.equal(ada.fingerprint, 'cookie-7')
  await until(() => ada.welcomeMessage === 'Welcome to the tests')
  let asked = ''
  ada.client.id((id) => {
    asked = id
  })
  await until(() => asked === ada.id)

  assert.equal((await answered((then) => ada.roomAdd('lobby', then)))['status'], 'OK')
  assert.deepEqual(ada.rooms, ['lobby'])
  assert.equal((await answered((then) => ada.roomAdd('second', then)))['status'], 'OK')
  assert.deepEqual(ada.rooms, ['lobby', 'second'])
  const nowhere = await answered((then) => ada.roomAdd('nowhere', then))
  assert.match(String(nowhere['error']), /^Error: room does not exist: nowhere/)

  const bob = await openActionhero(port, t)
  await connected(bob)
  assert.equal(bob.fingerprint, bob.id)
  const ours = await connectOurs()
  await answered((then) => bob.roomAdd('lobby', then))
  await ours.request({ event: 'roomAdd', room: 'lobby' })
  const [adaHeard, bobHeard] = [said(ada), said(bob)]
  // These two end lines in JavaScript.
  const strange = 'hello \u2028 \u2029 <script> "quoted"'
  assert.equal((await answered((then) => ada.say('lobby', strange, then)))['status'], 'OK')
  await ours.request({ event: 'say', room: 'lobby', message: 'from ours' })
  await until(() => adaHeard.length === 2 && bobHeard.length === 2)
  const [first] = bobHeard
  assert.deepEqual([first?.['context'], first?.['room'], first?.['from']], ['user', 'lobby', ada.id])
  assert.equal(typeof first?.['sentAt'], 'number')
  for (const heard of [adaHeard, bobHeard]) {
    assert.deepEqual(
      heard.map(({ message }) => message),
      [strange, 'from ours'],
    )
  }
  await until(() => ours.said('lobby').length === 2)

  const view = await answered((then) => ada.roomView('lobby', then))
  assert.equal(view.data['membersCount'], 3)
  const sum = await answered((then) => ada.action('sum', { a: 1, b: 2, messageId: 'aaa' }, then))
  assert.deepEqual([sum['sum'], sum['messageId'], sum['error']], [3, 'aaa', undefined])
  assert.equal((await answered((then) => ada.action('fails', {}, then)))['error'], 'on purpose')
  const unknown = await answered((then) => ada.action('unknown', {}, then))
  assert.match(String(unknown['error']), /^unknown action or invalid apiVersion/)
  const slowOnes: unknown[] = []
  for (let count = 0; count < 6; count += 1) ada.action('slow', {}, ({ error }) => slowOnes.push(error))
  await until(() => slowOnes.length === 1)
  finish({ done: true })
  await until(() => slowOnes.length === 6)
  assert.deepEqual(slowOnes, ['you have too many pending requests', ...Array(5)])

  const file = await answered((then) => ada.file('package.json', then))
  assert.equal(JSON.parse(String(file['content'])).name, 'fastify-ah-test-rooms')
  assert.deepEqual([file['mime'], file['error']], ['application/json', undefined])
  assert.equal(file['length'], Buffer.byteLength(String(file['content'])))
  const missing = await answered((then) => ada.file('missing.html', then))
  assert.deepEqual(
    [missing['error'], missing['content'], missing['mime']],
    ['that file is not found', null, 'text/html'],
  )
  const { data: documentation } = await answered((then) => ada.documentation(then))
  assert.deepEqual(Object.keys(documentation), ['sum', 'slow', 'fails'])

  assert.equal((await answered((then) => bob.roomLeave('lobby', then)))['status'], 'OK')
  assert.deepEqual(bob.rooms, [])
  assert.equal((await answered((then) => ada.roomView('lobby', then))).data['membersCount'], 2)
  ada.disconnect()
  await answered((then) => bob.roomAdd('second', then))
  await until(async () => (await answered((then) => bob.roomView('second', then))).data['membersCount'] === 1)
})

test('a client that is cut, or whose process ends, comes again; one that is disconnected does not', async (t) => {
  const options = { ...fresh(), drainMs: 100 }
  const first = await openRooms(redis.url, options, t)
  const second = await openRooms(redis.url, options, t)
  const target = { host: '127.0.0.1', port: first.port }
  const proxy = await startProxy({ target }, t)
  const client = await openActionhero(proxy.port, t)
  await connected(client)
  const heard = said(client)
  let opened = 0
  client.client.on('open', () => {
    opened += 1
  })
  // What an app does with it: the client itself comes back without its rooms.
  client.on('reconnect', () => client.roomAdd('lobby'))
  await answered((then) => client.roomAdd('lobby', then))

  proxy.cut()
  await until(() => opened === 1)
  const isBack = async () => Object.keys((await second.app.rooms.roomStatus('lobby')).members)[0] === client.id
  await until(isBack)
  await second.app.rooms.broadcast(null, 'lobby', 'after the cut')
  await until(() => heard.length === 1)

  target.port = second.port
  await first.app.close()
  await until(() => opened === 2)
  await until(isBack)
  await second.app.rooms.broadcast(null, 'lobby', 'after the reload')
  await until(() => heard.length === 2)
  assert.equal(client.state, 'connected')

  const accepted = proxy.accepted
  assert.equal(await second.app.rooms.disconnect(client.id, { reason: 'enough' }), 1)
  await until(() => client.state === 'disconnected' && second.app.rooms.connections().length === 0)
  // Ten times as long as it would wait.
  await new Promise((resolve) => setTimeout(resolve, scaled(2_000, 600)))
  assert.equal(proxy.accepted, accepted)
  assert.equal(opened, 2)
})

test('thirty rooms at once: for each the client joins all others again, and that is not too much', async (t) => {
  const rooms = Array.from({ length: 30 }, (_, index) => `room ${index}`)
  const { app, port } = await openRooms(redis.url, { ...fresh(), startingRooms: rooms }, t)
  const client = await openActionhero(port, t)
  await connected(client)
  let refused = 0
  client.on('message', ({ error }) => {
    refused += String(error).includes('too many') ? 1 : 0
  })
  await Promise.all(rooms.map((room) => answered((then) => client.roomAdd(room, then))))
  assert.deepEqual(new Set(client.rooms), new Set(rooms))
  await answered((then) => client.roomLeave('room 7', then))
  assert.equal(client.rooms.length, 29)
  assert.equal(app.rooms.connections()[0]?.rooms.length, 29)
  assert.equal(refused, 0)
})

test('both sides ask whether the other is there: quiet clients stay, also those of before Primus 7', async (t) => {
  const { app, port } = await openRooms(redis.url, { ...fresh(), pingMs: 100, pongMs: 2_000 }, t)
  const client = await openActionhero(port, t, { options: 'pingTimeout: 1000' })
  await connected(client)
  let pings = 0
  let ends = 0
  client.client.on('incoming::ping', () => {
    pings += 1
  })
  client.client.on('close', () => {
    ends += 1
  })
  // Longer than the client would wait without one.
  await until(() => pings >= 15)
  assert.deepEqual([ends, app.rooms.connections().length], [0, 1])

  const old = new Client(`ws://127.0.0.1:${port}/primus`, { origin: `http://127.0.0.1:${port}` })
  atEnd(t, () => old.socket.terminate())
  await until(() => old.messages.length > 0)
  old.socket.send('"primus::ping::1700000000000"')
  await until(() => old.messages.includes('primus::pong::1700000000000' as never))
})

test('[50] what Primus does not say is a message like any other; [51] and its words count as messages', async (t) => {
  const { app, port } = await openRooms(redis.url, fresh(), t)
  const open = async (): Promise<Client> => {
    const client = new Client(`ws://127.0.0.1:${port}/primus`, { origin: `http://127.0.0.1:${port}` })
    atEnd(t, () => client.socket.terminate())
    await until(() => client.messages.length > 0)
    return client
  }
  const client = await open()
  const texts = [
    '"primus::server::close"',
    '"primus::id::x"',
    '"primus::pong::"x',
    '"primus::',
    'primus::id::',
    '"say"',
  ]
  for (const text of texts) client.socket.send(text)
  await until(() => client.messages.filter(({ code }) => code === 'AH_ROOMS_VERB').length === texts.length)
  assert.equal((await client.request({ event: 'detailsView' }))['status'], 'OK')

  const floods: [text: string, count: number][] = [
    ['"primus::pong::1"', 200],
    ['{"event":"detailsView"}', 5_000],
    ['{"event":"roomAdd","room":"lobby"}', 5_000],
    ['{"event":"roomAdd","room":"nowhere"}', 200],
    ['{"event":"detailsView","event":"say","room":"lobby","message":"x"}', 200],
  ]
  for (const [text, count] of floods) {
    const flooding = await open()
    for (let sent = 0; sent < count; sent += 1) flooding.socket.send(text)
    await until(() => flooding.closed?.code === 1008, { what: `1008 for ${count} of ${text}` })
  }

  const alien = new Client(`ws://127.0.0.1:${port}/primus`, { origin: 'https://evil.example' })
  await assert.rejects(alien.opened, /403/)
  assert.equal(app.rooms.connections().length, 1)

  const closed = await openRooms(redis.url, { ...fresh(), primusPath: '' }, t)
  const refused = new Client(`ws://127.0.0.1:${closed.port}/primus`, { origin: `http://127.0.0.1:${closed.port}` })
  await assert.rejects(refused.opened, /404/)
})
