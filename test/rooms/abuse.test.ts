// What clients may try beside talking: to fall the server, to fill its memory, to have it do much for little.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { AH_ROOMS_CLOSED } from 'fastify-ah-rooms'
import { startRedis, until } from 'fastify-ah-test-support'
import { openHandshake } from './handshake.ts'
import { connect, openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `abuse-${prefixes}:`, startingRooms: ['lobby'] }
}

test('an answer that JSON cannot hold is an error to who asked, and the process lives', async (t) => {
  const { app, connect } = await openRooms(redis.url, { ...fresh(), messageBurst: 100 }, t)
  app.rooms.on('echo', (data) => data)
  app.rooms.on('big', () => 1n)
  const client = await connect()
  assert.equal((await client.request({ event: 'emit', name: 'big' }))['code'], 'AH_ROOMS_MESSAGE')
  const depth = 30_000
  client.socket.send(
    `{"event":"emit","name":"echo","messageId":"deep","data":${'['.repeat(depth)}${']'.repeat(depth)}}`,
  )
  const reply = await until(() => client.messages.find(({ messageId }) => messageId === 'deep'))
  assert.equal(reply['code'], 'AH_ROOMS_MESSAGE')
  assert.equal((await client.request({ event: 'emit', name: 'echo', data: 1 }))['data'], 1)
})

test('[52] who makes the server answer and reads nothing is cut, also with what is no message', async (t) => {
  // Refusals would be answers.
  const rates = { messagesPerSecond: 1_000, messageBurst: 1_000 }
  const { app, port } = await openRooms(redis.url, { ...fresh(), ...rates, maxUnsentBytes: 100_000 }, t)
  const raw = await openHandshake(port, t)
  raw.pause()
  const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125, 'x')])
  const pings = Buffer.concat(Array.from({ length: 800 }, () => ping))
  await until(
    () => {
      // It has no answer, and begins the count of bytes without a message anew.
      raw.send({ event: 'ack' })
      raw.write(pings)
      return app.rooms.stats().cut === 1
    },
    { deadlineMs: 20_000, what: 'the cut' },
  )
  await until(() => app.rooms.stats().connections === 0)
})

test('many handlers that never answer: refused, and the others of the connection go on', async (t) => {
  const { app, connect } = await openRooms(redis.url, { ...fresh(), messageBurst: 1_000 }, t)
  let running = 0
  app.rooms.on('hang', () => {
    running += 1
    return new Promise(() => undefined)
  })
  const client = await connect()
  for (let index = 0; index < 200; index += 1) client.send({ event: 'emit', name: 'hang', messageId: index })
  assert.equal((await client.request({ event: 'detailsView' }))['status'], 'OK')
  assert.equal(running, 64)
  assert.equal(client.messages.filter(({ code }) => code === 'AH_ROOMS_MESSAGE').length, 136)
})

test('[51] rooms beyond the limit are refused in a word; who sends too much hears of which message', async (t) => {
  const { connect } = await openRooms(redis.url, { ...fresh(), messageBurst: 5 }, t)
  const client = await connect()
  const rooms = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`r${index}`, {}]))
  const reply = await client.request({ event: 'resume', rooms })
  assert.equal(reply['code'], 'AH_ROOMS_TOO_MANY')
  assert.ok(JSON.stringify(reply).length < 500)
  for (let index = 0; index < 8; index += 1) client.send({ event: 'detailsView', messageId: `m${index}` })
  await until(() => client.messages.filter(({ messageId }) => String(messageId).startsWith('m')).length === 8)
  const refused = client.messages.filter(({ error }) => /slow down/.test(String(error)))
  assert.ok(refused.length >= 3 && refused.every(({ messageId }) => /^m\d$/.test(String(messageId))))
})

test('[52] who comes back to many rooms and reads slowly hears what was missed, without its being cut for that', async (t) => {
  const names = Array.from({ length: 40 }, (_, index) => `room ${index}`)
  const options = { ...fresh(), startingRooms: names, messageBurst: 1_000, maxUnsentBytes: 400_000 }
  const { app, url } = await openRooms(redis.url, options, t)
  const sockets: Socket[] = []
  app.server.on('connection', (socket) => sockets.push(socket))
  const first = await connect(url, t)
  const heard: Record<string, unknown> = {}
  for (const room of names) {
    const { epoch, last } = await first.request({ event: 'roomAdd', room })
    heard[room] = { epoch, last }
  }
  first.socket.terminate()
  const text = 'x'.repeat(60_000)
  await Promise.all(names.flatMap((room) => [1, 2, 3, 4, 5].map(() => app.rooms.broadcast(null, room, text))))

  const reader = await connect(url, t)
  const server = sockets.at(-1)!
  reader.socket.pause()
  reader.send({ event: 'resume', rooms: heard, messageId: 'back' })
  let most = 0
  for (let turn = 0; turn < 100; turn += 1) {
    most = Math.max(most, server.writableLength)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  assert.ok(most < 2 * options.maxUnsentBytes, `${most} bytes waited for a client that does not read`)
  reader.socket.resume()
  const { data } = await until(() => reader.messages.find(({ messageId }) => messageId === 'back'))
  const answers = Object.values(data as Record<string, { recovered: boolean }>)
  assert.equal(answers.length, names.length)
  const recovered = answers.filter((answer) => answer.recovered).length
  assert.ok(recovered > names.length / 2, `${recovered} of ${names.length}`)
  await until(() => reader.said().length === recovered * 5)
  assert.equal(app.rooms.stats().cut, 0)
})

test('what was said by one that is thrown out, and had not come to its turn, is not said', async (t) => {
  let asked = 0
  let decide: (is: boolean) => void = () => undefined
  const say = () =>
    new Promise<boolean>((resolve) => {
      asked += 1
      decide = resolve
    })
  const { app, connect } = await openRooms(redis.url, { ...fresh(), authorize: { say } }, t)
  const [eve, bob] = [await connect(), await connect()]
  for (const client of [eve, bob]) await client.request({ event: 'roomAdd', room: 'lobby' })
  const { data } = await eve.request({ event: 'detailsView' })
  for (const message of ['first', 'second']) eve.send({ event: 'say', room: 'lobby', message })
  await until(() => asked === 1)
  await app.rooms.disconnect((data as { id: string }).id, { code: 4403 })
  decide(true)
  await until(() => eve.closed?.code === 4403)
  await app.rooms.broadcast(null, 'lobby', 'the end')
  await until(() => bob.said().includes('the end'))
  assert.equal(asked, 1)
  assert.ok(!bob.said().includes('second'))
})

test('a mistake in a hook is told to who runs the app; what a hook says on purpose, to the client alone', async (t) => {
  const join = (_: unknown, room: string) => {
    if (room === 'second') throw new Error('not on a Sunday')
    return (undefined as unknown as { user: { name: string } }).user.name === 'ada'
  }
  const options = { ...fresh(), startingRooms: ['lobby', 'second'], authorize: { join } }
  const { lines, connect, port } = await openRooms(redis.url, options, t)
  const client = await connect()
  const errors = () => lines.filter((line) => (JSON.parse(line) as { level: number }).level >= 50)
  assert.match(String((await client.request({ event: 'roomAdd', room: 'second' }))['error']), /Sunday/)
  assert.deepEqual(errors(), [])
  await client.request({ event: 'roomAdd', room: 'lobby' })
  assert.match(errors().join(), /TypeError/)
  await assert.rejects(connect({ origin: 'https://evil.example' }))
  await until(() => lines.some((line) => line.includes('https://evil.example') && line.includes('not allowed')))
  assert.ok(port > 0)
})

test('a client without a socket waits for no answer that does not come', async (t) => {
  const { app } = await openRooms(redis.url, fresh(), t)
  app.rooms.on('hang', () => new Promise(() => undefined))
  const client = await app.rooms.inject()
  assert.deepEqual(await client.request({ event: 'ack', ackId: 1 }), {})
  const hanging = client.request({ event: 'emit', name: 'hang' })
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await client.request({ event: 'quit' }), {})
  await assert.rejects(hanging, AH_ROOMS_CLOSED)
  await assert.rejects(client.request({ event: 'detailsView' }), AH_ROOMS_CLOSED)
  assert.deepEqual(client.closed, { code: 1000, reason: '' })
})

test('[48] origins are compared as browsers write them, of pages and of apps', async (t) => {
  const origins = ['https://Shop.example:443', 'https://bücher.example', 'capacitor://localhost']
  const { url } = await openRooms(redis.url, { ...fresh(), origins }, t)
  for (const origin of ['https://shop.example', 'https://xn--bcher-kva.example', 'capacitor://localhost']) {
    await connect(url, t, { origin })
  }
  for (const origin of ['https://shop.example:444', 'http://shop.example', 'capacitor://localhost.evil', 'null']) {
    await assert.rejects(connect(url, t, { origin }), origin)
  }
  for (const wrong of ['shop.example', 'https://shop.example/', 'https://', 'https://a b', '*']) {
    await assert.rejects(openRooms(redis.url, { ...fresh(), origins: [wrong] }, t), { code: 'AH_ROOMS_OPTIONS' })
  }
})
