// Who may do what: the hooks, and the pages that may connect.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FayeAuthorize } from 'fastify-ah-faye'
import { startRedis, until } from 'fastify-ah-test-support'
import { WebSocket } from 'ws'
import { ask, connectOf, post, shakeHands } from './bayeux-http.ts'
import { hearing, openClient, openFaye, settled, transports } from './open-faye.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `access-${prefixes}:` }
}

describe('hooks', () => {
  for (const transport of transports) {
    test(`are asked about every subscription and publication, over ${transport}`, async (t) => {
      const asked: unknown[] = []
      const authorize: FayeAuthorize = {
        handshake: ({ request, clientId }) => asked.push(['handshake', request.headers['x-user'], clientId]) > 0,
        subscribe: async ({ channel, request }) =>
          asked.push(['subscribe', channel, request.url]) > 0 && channel === '/mine',
        publish: ({ channel, data, ext }) => asked.push(['publish', channel, data, ext]) > 0 && data === 'fine',
      }
      const { url, app } = await openFaye(redis.url, { ...fresh(), authorize }, t)
      const client = openClient(url, transport, t)
      client.setHeader('X-User', 'ada')
      client.addExtension({
        outgoing: (message, pass) => pass(message['data'] === undefined ? message : { ...message, ext: { proof: 1 } }),
      })
      const byServer: unknown[] = []
      await app.pubsub.subscribe('/**', (data) => byServer.push(data))
      const heard = await hearing(client, '/mine')
      await assert.rejects(hearing(client, '/others'), { code: 403 })
      await assert.rejects(hearing(client, '/**'), { code: 403 })
      await settled(client.publish('/mine', 'fine'))
      await assert.rejects(settled(client.publish('/mine', 'bad')), { code: 403 })
      await until(() => heard.length === 1)
      assert.deepEqual(byServer, ['fine'])
      assert.deepEqual(asked, [
        ['handshake', 'ada', undefined],
        ['subscribe', '/mine', '/faye'],
        ['subscribe', '/others', '/faye'],
        ['subscribe', '/**', '/faye'],
        ['publish', '/mine', 'fine', { proof: 1 }],
        ['publish', '/mine', 'bad', { proof: 1 }],
      ])
    })
  }

  test('only true is a yes; one that throws is logged, and no', async (t) => {
    const answers: unknown[] = [false, undefined, null, 1, 'true', {}, Promise.resolve(1)]
    const authorize = { subscribe: () => answers[0], publish: () => answers[0] } as never
    const { url, lines } = await openFaye(redis.url, { ...fresh(), authorize }, t)
    const clientId = await shakeHands(url)
    const subscribe = { channel: '/meta/subscribe', clientId, subscription: '/a' }
    for (; answers.length > 0; answers.shift()) {
      const [subscribed, published] = await ask(url, subscribe, { channel: '/a', clientId, data: 1 })
      assert.deepEqual([subscribed!.error, published!.error], ['403:/a:Forbidden channel', '403:/a:Forbidden channel'])
    }
    for (const broken of [() => assert.fail('broken hook'), () => Promise.reject(new Error('broken hook'))]) {
      const other = await openFaye(redis.url, { ...fresh(), authorize: { subscribe: broken } }, t)
      const [reply] = await ask(other.url, { ...subscribe, clientId: await shakeHands(other.url) })
      assert.equal(reply!.error, '500::Internal server error')
      assert.ok(other.lines.some((line) => line.includes('broken hook')))
    }
    assert.ok(!lines.some((line) => line.includes('broken hook')))
  })

  test('one channel of a list that may not be had is no to all', async (t) => {
    const authorize: FayeAuthorize = { subscribe: ({ channel }) => channel !== '/b' }
    const { url, app } = await openFaye(redis.url, { ...fresh(), authorize }, t)
    const clientId = await shakeHands(url)
    const [reply] = await ask(url, { channel: '/meta/subscribe', clientId, subscription: ['/a', '/b', '/c'] })
    assert.equal(reply!.error, '403:/b:Forbidden channel')
    await app.pubsub.publish('/a', 1)
    assert.equal((await ask(url, connectOf(clientId))).length, 1)
  })

  test('a handshake that is refused makes no client', async (t) => {
    const { url } = await openFaye(redis.url, { ...fresh(), authorize: { handshake: () => false } }, t)
    await assert.rejects(shakeHands(url), /403::Handshake denied/)
    assert.deepEqual(await redis.client().keys(`access-${prefixes}:faye:*`), [])
  })
})

describe('origins', () => {
  test('pages of the same host, of listed ones, and programs may connect, others may not', async (t) => {
    const { url, port } = await openFaye(redis.url, { ...fresh(), origins: ['https://Shop.example'] }, t)
    const hello = JSON.stringify({
      channel: '/meta/handshake',
      version: '1.0',
      supportedConnectionTypes: ['websocket'],
    })
    const own = `http://127.0.0.1:${port}`
    const fine = [undefined, own, 'https://shop.example']
    const not = [
      'null',
      'https://evil.example',
      'http://shop.example',
      'https://shop.example.evil.example',
      'https://evil-shop.example',
      'https://shop.example:8443',
      `${own}0`,
      '',
    ]
    for (const origin of [...fine, ...not]) {
      const isFine = fine.includes(origin)
      const headers: Record<string, string> = origin === undefined ? {} : { origin }
      const posted = await post(url, hello, headers)
      assert.equal(posted.status, isFine ? 200 : 403, String(origin))
      assert.equal(posted.headers.get('access-control-allow-origin'), isFine ? (origin ?? null) : null)
      const asked = await fetch(url, { method: 'OPTIONS', headers })
      assert.equal(asked.status, isFine ? 204 : 403)
      const socket = new WebSocket(url.replace('http', 'ws'), { headers })
      const status = await new Promise((resolve) => {
        socket.once('open', () => resolve(101))
        socket.once('unexpected-response', (_request, response) => resolve(response.statusCode))
        socket.on('error', () => undefined)
      })
      assert.equal(status, isFine ? 101 : 403, String(origin))
      socket.terminate()
    }
  })
})
