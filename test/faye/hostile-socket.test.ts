// What no client of faye's would send over a websocket: it is answered, or the websocket is cut, and nobody else notices.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { random, scaled, startRedis, until } from 'fastify-ah-test-support'
import { ask, connectOf, shakeHands } from './bayeux-http.ts'
import { openSocket } from './bayeux-socket.ts'
import { malformed, refused } from './hostile-messages.ts'
import { hearing, openClient, openFaye } from './open-faye.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `hostile-socket-${prefixes}:` }
}

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
