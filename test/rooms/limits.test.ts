// What is too much, what is no message, who does not read, who is gone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scaled, startProxy, startRedis, until } from 'fastify-ah-test-support'
import { openHandshake } from './handshake.ts'
import { connect, openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `limits-${prefixes}:`, startingRooms: ['lobby'] }
}

test('[49] too long, binary, broken text, compressed, in endless pieces: closed, and the server lives', async (t) => {
  const { port, connect } = await openRooms(redis.url, { ...fresh(), maxMessageBytes: 65_536 }, t)
  const witness = await connect()
  const closing = async (bytes: Buffer): Promise<number> => {
    const raw = await openHandshake(port, t)
    raw.write(bytes)
    return until(() => raw.closeCode(), { what: 'a close frame' })
  }
  const frame = (first: number, payload: Buffer, length = payload.length): Buffer => {
    const head = Buffer.alloc(length < 126 ? 6 : 14)
    head[0] = first
    head[1] = 0x80 | (length < 126 ? length : 127)
    if (length >= 126) head.writeBigUInt64BE(BigInt(length), 2)
    // Masked by zeros.
    return Buffer.concat([head, payload])
  }
  assert.equal(await closing(frame(0x81, Buffer.alloc(65_537, 'a'))), 1009)
  assert.equal(await closing(frame(0x82, Buffer.from('binary'))), 1003)
  assert.equal(await closing(frame(0x81, Buffer.from([0xc3, 0x28]))), 1007)
  assert.equal(await closing(frame(0xc1, Buffer.from('compressed'))), 1002)
  const pieces = Buffer.concat(
    Array.from({ length: scaled(100_000, 30_000) }, (_, i) => frame(i === 0 ? 1 : 0, Buffer.alloc(0))),
  )
  assert.equal(await closing(pieces), 1008)
  const text = JSON.stringify({ event: 'detailsView', messageId: 'x'.repeat(60_000) })
  witness.socket.send(text)
  assert.equal((await witness.request({ event: 'detailsView' }))['status'], 'OK')
})

test('[50] whatever is said is answered by an error, and nothing falls over', async (t) => {
  const { app, connect } = await openRooms(
    redis.url,
    { ...fresh(), messageBurst: 1_000, maxMessageBytes: 2_000_000 },
    t,
  )
  const client = await connect()
  const texts = [
    'null',
    '1',
    '"x"',
    '[]',
    '',
    '{',
    '['.repeat(100_000),
    `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
    '{"event":{}}',
    '{"event":"__proto__"}',
    '{"event":"constructor"}',
    '{"event":"toString"}',
    '{"__proto__":{"event":"say"}}',
    '{"event":"roomAdd","room":{}}',
    '{"event":"roomAdd","room":7}',
    '{"event":"roomAdd","room":["lobby"]}',
    '{"event":"roomAdd","room":"*"}',
    '{"event":"roomAdd","room":"a\\u0000b"}',
    `{"event":"roomAdd","room":"${'x'.repeat(1_000_000)}"}`,
    '{"event":"roomAdd","room":"__proto__"}',
    '{"event":"resume","rooms":[]}',
    '{"event":"resume","rooms":null}',
    '{"event":"emit","name":{}}',
    '{"event":"action","params":[]}',
    '{"event":"action","params":{"action":"__proto__"}}',
    '{"event":"say","room":"lobby","message":{"__proto__":1}}',
    '{"event":"roomView"}',
  ]
  for (const text of texts) {
    const before = client.messages.length
    client.socket.send(text)
    const reply = await until(() => client.messages[before], { what: text.slice(0, 60) })
    assert.match(String(reply['status']), /^Error: /, text.slice(0, 60))
    assert.ok(JSON.stringify(reply).length < 1_000)
    assert.match(String(reply['code']), /^AH_ROOMS_/, text.slice(0, 60))
  }
  // Deeper than anything can be written again.
  await client.request({ event: 'roomAdd', room: 'lobby' })
  const before = client.messages.length
  client.socket.send(`{"event":"say","room":"lobby","message":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
  const reply = await until(() => client.messages[before])
  assert.equal(reply['code'], 'AH_ROOMS_MESSAGE')
  for (const ack of ['{"event":"ack","ackId":{}}', '{"event":"ack","ackId":1}']) client.socket.send(ack)
  const { data } = await client.request({
    event: 'resume',
    rooms: { lobby: 1, 'a\u0001': {}, nowhere: { epoch: 1, last: [] } },
  })
  assert.deepEqual(
    Object.entries(data as Record<string, { code: string }>)
      .map(([room, { code }]) => [room, code])
      .sort(),
    [
      ['a\u0001', 'AH_ROOMS_NAME'],
      ['lobby', 'AH_ROOMS_MEMBER'],
      ['nowhere', 'AH_ROOMS_NOT_FOUND'],
    ],
  )
  assert.equal(app.rooms.stats().connections, 1)
  assert.equal(({} as Record<string, unknown>)['event'], undefined)
})

test('[51] who sends too much is refused, and then closed; who slows down stays', async (t) => {
  const { connect } = await openRooms(redis.url, fresh(), t)
  const flooder = await connect()
  flooder.messages.length = 0
  for (let index = 0; index < 1_000; index += 1) flooder.send({ event: 'detailsView', messageId: index })
  await until(() => flooder.closed?.code === 1008)
  const answered = flooder.messages.filter(({ status }) => status === 'OK').length
  assert.ok(answered >= 30 && answered <= 60, `${answered} were answered`)
  const slow = await connect()
  for (let index = 0; index < 50; index += 1) slow.send({ event: 'detailsView', messageId: index })
  await until(() => slow.messages.some(({ code }) => code === 'AH_ROOMS_MESSAGE'))
  // Time is the subject: the allowance grows again with it.
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal((await slow.request({ event: 'detailsView' }))['status'], 'OK')
})

test('[52] a reader that stops reading is cut; the others hear everything', async (t) => {
  const { app, port, connect } = await openRooms(redis.url, { ...fresh(), maxUnsentBytes: 1_048_576 }, t)
  const reader = await connect()
  await reader.request({ event: 'roomAdd', room: 'lobby' })
  const raw = await openHandshake(port, t)
  raw.send({ event: 'roomAdd', room: 'lobby' })
  await until(async () => (await app.rooms.roomStatus('lobby')).membersCount === 2)
  raw.pause()
  const message = 'x'.repeat(50_000)
  let sent = 0
  // Also what the system takes for a socket has to be full.
  while (app.rooms.stats().cut === 0 && sent < 1_000) {
    await Promise.all(Array.from({ length: 5 }, () => app.rooms.broadcast(null, 'lobby', message)))
    sent += 5
    await until(() => reader.said().length === sent)
  }
  assert.equal(app.rooms.stats().cut, 1)
  await until(async () => (await app.rooms.roomStatus('lobby')).membersCount === 1)
  assert.equal(app.rooms.stats().connections, 1)
})

test('[53] a peer that is gone without a word is removed after a ping; a mute one does not hold up the end', async (t) => {
  const options = { ...fresh(), pingMs: 300, pongMs: 1_000 }
  const { app, port } = await openRooms(redis.url, options, t)
  const proxy = await startProxy({ target: { host: '127.0.0.1', port } }, t)
  const alive = await connect(`ws://127.0.0.1:${port}/ah/ws`, t)
  const lost = await connect(`ws://127.0.0.1:${proxy.port}/ah/ws`, t, { origin: `http://127.0.0.1:${proxy.port}` })
  for (const client of [alive, lost]) await client.request({ event: 'roomAdd', room: 'lobby' })
  proxy.swallow()
  await until(async () => (await app.rooms.roomStatus('lobby')).membersCount === 1)
  // Time is the subject: one that answers is left alone for several pings.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  assert.equal(alive.closed, undefined)
  const mute = await openHandshake(port, t)
  mute.pause()
  const before = performance.now()
  await app.close()
  assert.ok(performance.now() - before < 5_000)
  await until(() => alive.closed?.code === 1012)
})
