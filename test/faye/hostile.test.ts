// What no client of faye's would send: it is answered, refused or cut, and nobody else notices.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { httpGet, random, scaled, startRedis, until } from 'fastify-ah-test-support'
import { ask, connectOf, post, shakeHands } from './bayeux-http.ts'
import { openSocket } from './bayeux-socket.ts'
import { hearing, openClient, openFaye } from './open-faye.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `hostile-${prefixes}:` }
}

const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
/** No list of messages. */
const malformed = [
  '',
  'null',
  '1',
  '"x"',
  'true',
  '[]',
  '[null]',
  '[1]',
  '[[]]',
  '{}',
  '[{}]',
  '{',
  deep(20_000),
  '{"channel":1}',
  '{"channel":null}',
  '{"channel":["/meta/connect"]}',
  '{"channel":{"toString":1}}',
  '{"channel":"/meta/connect","clientId":{}}',
  '{"channel":"/meta/connect","clientId":["a"]}',
  '{"channel":"/meta/connect","advice":[]}',
  '{"channel":"/meta/connect","advice":{"timeout":"1"}}',
  '{"channel":"/meta/connect","advice":{"timeout":-1}}',
  '{"channel":"/meta/subscribe","subscription":1}',
  '{"channel":"/meta/subscribe","subscription":[1]}',
  '{"channel":"/meta/subscribe","subscription":{"length":3}}',
  '{"channel":"/a","id":{},"data":1}',
  '{"channel":"/a","id":1.5,"data":1}',
  '{"channel":"/a","data":1,"__proto__":{"x":1}}',
  '{"channel":"/a","data":{"__proto__":{"x":1}}}',
  '{"channel":"/a","data":{"constructor":{"prototype":{"x":1}}}}',
  `{"channel":"/${'a'.repeat(600)}","data":1}`,
  `{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":"websocket"}`,
  JSON.stringify(Array.from({ length: 300 }, () => ({ channel: '/a', data: 1 }))),
]
/** Messages that Bayeux answers with an error. */
const refused: [object, RegExp][] = [
  [{ channel: '/meta/connect' }, /^402:/],
  [{ channel: '/meta/connect', clientId: 'nobody', connectionType: 'websocket' }, /^401:nobody:/],
  [{ channel: '/meta/connect', clientId: '__proto__', connectionType: 'websocket' }, /^401:/],
  [{ channel: '/meta/subscribe', clientId: 'nobody', subscription: '/a' }, /^401:/],
  [{ channel: '/meta/unsubscribe', clientId: 'constructor', subscription: '/a' }, /^401:/],
  [{ channel: '/meta/disconnect', clientId: 'nobody' }, /^401:/],
  [{ channel: '/meta/nothing' }, /^403:/],
  [{ channel: '/meta', data: 1 }, /^403:/],
  [{ channel: '/meta/handshake' }, /^402:/],
  [{ channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['pigeon'] }, /^301:/],
  [{ channel: '/a' }, /^402:/],
  [{ channel: 'a', data: 1 }, /^405:/],
  [{ channel: '/a b', data: 1 }, /^405:/],
  [{ channel: '/a/*', data: 1 }, /^405:/],
  [{ channel: '/**', data: 1 }, /^405:/],
  [{ channel: '/a', clientId: 'nobody', data: 1 }, /^401:/],
  [{ channel: '', data: 1 }, /^405:/],
]

describe('over HTTP', () => {
  test('[24] what is no message is refused, what is a wrong one is answered, and the next one works', async (t) => {
    const { url, app } = await openFaye(redis.url, fresh(), t)
    const heard: unknown[] = []
    await app.pubsub.subscribe('/**', (data) => heard.push(data))
    for (const text of malformed) assert.equal((await post(url, text)).status, 400, text.slice(0, 80))
    for (const [message, error] of refused) {
      const [reply] = await ask(url, message)
      assert.equal(reply!.successful, false, JSON.stringify(message))
      assert.match(reply!.error!, error, JSON.stringify(message))
    }
    assert.deepEqual(heard, [])
    assert.equal(({} as { x?: unknown }).x, undefined)
    assert.equal((await ask(url, { channel: '/a', data: 'fine' }))[0]!.successful, true)
    await until(() => heard.length === 1)
  })

  test('a form is a message too; other methods and bodies that are too long are refused', async (t) => {
    const { url, port } = await openFaye(redis.url, fresh(), t)
    const form = `message=${encodeURIComponent(JSON.stringify({ channel: '/a', data: 1 }))}`
    for (const type of ['application/x-www-form-urlencoded', 'text/plain;charset=UTF-8']) {
      const [reply] = (await (await post(url, form, { 'content-type': type })).json()) as { successful: boolean }[]
      assert.equal(reply!.successful, true)
    }
    assert.equal((await post(url, '{"channel":"/a","data":1}', { 'content-type': 'text/plain' })).status, 400)
    const long = JSON.stringify({ channel: '/a', data: 'x'.repeat(65_536) })
    assert.equal((await post(url, long)).status, 413)
    assert.equal((await httpGet({ port }, { path: '/faye' })).status, 426)
    assert.equal((await httpGet({ port }, { path: '/faye?message=%5B%5D&jsonp=alert' })).status, 426)
    const script = await httpGet({ port }, { path: '/faye/client.js' })
    assert.equal(script.status, 200)
    assert.match(script.body, /Faye/)
  })

  test('data that is too deep to be written is refused alone', async (t) => {
    const { url } = await openFaye(redis.url, { ...fresh(), maxMessageBytes: 1_000_000 }, t)
    const text = `[{"channel":"/a","data":${deep(100_000)}},{"channel":"/b","data":1}]`
    const replies = (await (await post(url, text)).json()) as { channel: string; successful: boolean }[]
    const byChannel = Object.fromEntries(replies.map(({ channel, successful }) => [channel, successful]))
    assert.deepEqual(byChannel, { '/a': false, '/b': true })
  })

  test('polls of a client that asks again and again end, and those of peers that are gone hold nothing', async (t) => {
    const { url, app, port, lines } = await openFaye(redis.url, fresh(), t)
    const clientId = await shakeHands(url)
    await ask(url, { channel: '/meta/subscribe', clientId, subscription: '/a' })
    const polls = Array.from({ length: 20 }, () => ask(url, connectOf(clientId, 20_000)))
    // All but one, whichever came last.
    const done = new Set<number>()
    polls.forEach((poll, index) => void poll.then(() => done.add(index)))
    await until(() => done.size === 19)
    await app.pubsub.publish('/a', 1)
    const answers = await Promise.all(polls)
    assert.deepEqual(
      answers.flat().flatMap(({ data }) => data ?? []),
      [1],
    )
    // One that goes away without its answer: what comes then waits for the next one.
    const body = JSON.stringify(connectOf(clientId, 20_000))
    const before = await connectionsOf(app.server)
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `POST /faye HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    // It has to be there before it can go.
    await until(() => lines.filter((line) => line.includes('incoming request')).length === 23)
    socket.destroy()
    await until(async () => (await connectionsOf(app.server)) <= before)
    await app.pubsub.publish('/a', 2)
    const [, message] = await ask(url, connectOf(clientId, 5_000))
    assert.deepEqual(message, { channel: '/a', data: 2 })
  })
})

describe('over a websocket', () => {
  test('[24] what is no message gets an error, and the connection goes on', async (t) => {
    const { url, app } = await openFaye(redis.url, fresh(), t)
    const heard: unknown[] = []
    await app.pubsub.subscribe('/**', (data) => heard.push(data))
    const raw = await openSocket(url, t)
    for (const text of malformed.filter(({ length }) => length < 65_000)) {
      raw.send(text)
      assert.deepEqual(await raw.next(), [{ successful: false, error: '400::Bad request' }], text.slice(0, 80))
    }
    for (const [message, error] of refused) {
      raw.send(message)
      assert.match((await raw.next())[0]!.error!, error, JSON.stringify(message))
    }
    assert.deepEqual(heard, [])
    raw.send({ channel: '/a', data: 'fine' })
    assert.equal((await raw.next())[0]!.successful, true)
    assert.equal(raw.closedBy(), undefined)
  })

  test('[24] random bytes in frames and messages end nothing', async (t) => {
    const { url, lines } = await openFaye(redis.url, fresh(), t)
    const raw = await openSocket(url, t)
    const words = [
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      '"channel"',
      '"/meta/connect"',
      '"clientId"',
      'null',
      '1e999',
      '\\u0000',
      '/a',
      'data',
      ' ',
    ]
    const pick = (): string => words[Math.floor(random() * words.length)]!
    for (let frame = 0; frame < scaled(10_000, 500); frame += 1) {
      raw.send(Array.from({ length: Math.floor(random() * 20) }, pick).join(''))
    }
    await raw.next(scaled(10_000, 500))
    assert.equal(raw.closedBy(), undefined)
    assert.ok(!lines.some((line) => JSON.parse(line).level >= 40), 'nothing to warn of')
  })

  test('[49] frames that are too long, binary, no UTF-8, or in too many pieces close it', async (t) => {
    const { url } = await openFaye(redis.url, fresh(), t)
    const other = openClient(url, 'websocket', t)
    const heard = await hearing(other, '/a')
    const closes: [number, (raw: Awaited<ReturnType<typeof openSocket>>) => void][] = [
      [1009, ({ socket }) => socket.send('x'.repeat(65_537))],
      [1003, ({ socket }) => socket.send(Buffer.from('{}'))],
      [1007, ({ socket }) => socket.send(Buffer.from([0xff, 0xfe]), { binary: false })],
      [
        1008,
        ({ socket }) => {
          for (let piece = 0; piece < 2_000; piece += 1) socket.send('x', { fin: false })
        },
      ],
      [
        1008,
        ({ socket }) => {
          for (let piece = 0; piece < 100_000; piece += 1) socket.send('', { fin: false })
        },
      ],
    ]
    for (const [code, misbehave] of closes) {
      const raw = await openSocket(url, t)
      misbehave(raw)
      await until(() => raw.closedBy() !== undefined)
      assert.equal(raw.closedBy(), code)
    }
    await ask(url, { channel: '/a', data: 'still here' })
    await until(() => heard.length === 1)
  })

  test('[52] a reader that stops is cut, begins anew where it was, and the others notice nothing', async (t) => {
    const options = { ...fresh(), maxUnsentBytes: 200_000, maxQueued: 50, awayMs: 60_000 }
    const { url, app, lines } = await openFaye(redis.url, options, t)
    const raw = await openSocket(url, t)
    const clientId = await shakeHands(url)
    raw.send([
      { channel: '/meta/connect', clientId, connectionType: 'websocket' },
      { channel: '/meta/subscribe', clientId, subscription: '/big' },
    ])
    const reader = openClient(url, 'websocket', t)
    const heard = await hearing(reader, '/big')
    await until(() => raw.replies.length >= 0)
    raw.socket.pause()
    const count = scaled(500, 300)
    for (let number = 0; number < count; number += 1) await app.pubsub.publish('/big', 'x'.repeat(60_000))
    await until(() => heard.length === count, { deadlineMs: 30_000 })
    await until(() => lines.some((line) => line.includes('does not read')))
    await until(() => lines.some((line) => line.includes('more messages wait for it than may')))
    const [reply] = await ask(url, connectOf(clientId))
    assert.match(reply!.error!, /^401:/)
    assert.equal(reply!.advice?.reconnect, 'handshake')
  })

  test('a thousand frames at once are answered one by one, in the order of each client', async (t) => {
    const { url, app } = await openFaye(redis.url, fresh(), t)
    const heard: unknown[] = []
    await app.pubsub.subscribe('/a', (data) => heard.push(data))
    const raw = await openSocket(url, t)
    for (let number = 0; number < 1_000; number += 1) raw.send({ channel: '/a', id: number, data: number })
    const replies = await raw.next(1_000)
    assert.ok(replies.every(({ successful }) => successful))
    await until(() => heard.length === 1_000)
    assert.deepEqual(
      heard,
      Array.from({ length: 1_000 }, (_, number) => number),
    )
  })

  test('upgrades of other paths are refused, unless somebody else takes them', async (t) => {
    const { port, app } = await openFaye(redis.url, fresh(), t)
    const upgrade = (path: string) => {
      const socket = connect(port, '127.0.0.1')
      let text = ''
      socket.on('data', (data) => {
        text += data
      })
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      )
      return until(() => text !== '').then(() => text.split('\r\n')[0])
    }
    assert.equal(await upgrade('/other'), 'HTTP/1.1 404 Not Found')
    assert.equal(await upgrade('/faye'), 'HTTP/1.1 101 Switching Protocols')
    assert.equal(await upgrade('/faye?a=b'), 'HTTP/1.1 101 Switching Protocols')
    assert.equal(await upgrade('/faye/../other'), 'HTTP/1.1 404 Not Found')
    app.server.on('upgrade', (request, socket) => {
      if (request.url === '/other') socket.end('HTTP/1.1 418 Teapot\r\n\r\n')
    })
    assert.equal(await upgrade('/other'), 'HTTP/1.1 418 Teapot')
  })
})

test('limits: channels of a client, messages that wait, clients of a process, time away', async (t) => {
  const options = { ...fresh(), maxSubscriptions: 3, maxQueued: 5, maxClients: 2, awayMs: 300 }
  const { url, app } = await openFaye(redis.url, options, t)
  const clientId = await shakeHands(url)
  const subscribe = (subscription: string | string[]) => ({ channel: '/meta/subscribe', clientId, subscription })
  const replies = await ask(url, subscribe(['/a', '/b']), subscribe('/c'), subscribe('/d'), subscribe('/a'))
  const done = replies.map(({ successful }) => successful)
  assert.deepEqual(done, [true, true, false, true])
  assert.equal((await ask(url, subscribe(['/1', '/2', '/3', '/4'])))[0]!.successful, false)
  await shakeHands(url)
  await assert.rejects(shakeHands(url), /500::Internal server error/)
  for (let number = 0; number < 6; number += 1) await app.pubsub.publish('/a', number)
  await until(async () => (await redis.client().exists(`${options.prefix}faye:${clientId}`)) === 0)
  assert.match((await ask(url, connectOf(clientId)))[0]!.error!, /^401:/)
  const another = await shakeHands(url)
  await until(async () => (await redis.client().exists(`${options.prefix}faye:${another}`)) === 0)
  assert.match((await ask(url, connectOf(another)))[0]!.error!, /^401:/)
})

function connectionsOf(server: {
  getConnections(done: (error: Error | null, count: number) => void): void
}): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })
}
