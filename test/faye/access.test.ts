// Who may do what: the hooks, the servers' channels, and origins.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FayeAuthorize } from 'fastify-ah-faye'
import { startRedis, until } from 'fastify-ah-test-support'
import { WebSocket } from 'ws'
import { ask, connectOf, post, shakeHands } from './bayeux-http.ts'
import { hearing, openClient, openFaye, settled, transports } from './open-faye.ts'

const redis = await startRedis({}, test)
const token = 'a token that is long enough: 0123456789abcdef'
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

describe("[25] the servers' channels", () => {
  const inside = ['/actionhero/app/news', '/actionhero/app/a/b']
  const closed = [
    '/actionhero',
    '/actionhero/app',
    '/actionhero/calls',
    '/actionhero/node/x',
    '/actionhero/nodes',
    '/ActionHero/app/news',
    '/ACTIONHERO/calls',
    '/action-hero/calls',
    '/-actionhero/calls',
    '/actionhero!/calls',
    '/actionhero/APP/news',
    '/actionhero/-app/news',
    '/action_hero/app/news',
  ]
  const misspelt = [
    '//actionhero/calls',
    '/./actionhero/calls',
    '/x/../actionhero/calls',
    '/actionhero//calls',
    '/%61ctionhero/calls',
    '/actionhero%2fcalls',
    '/аctionhero/calls',
    '/actionhero\u200b/calls',
    '/actionhero/calls/',
    'actionhero/calls',
    '\\actionhero\\calls',
    '/actionhero.app/news',
    '/actionhero/calls\0',
  ]
  const wrongTokens = [
    undefined,
    null,
    '',
    'a',
    token.slice(0, -1),
    `${token} `,
    token.toUpperCase(),
    [token],
    { token },
    7,
    true,
  ]

  for (const allowServerToken of [false, true]) {
    test(`are closed without the right token${allowServerToken ? '' : ', and with it where that is not allowed'}`, async (t) => {
      const options = { ...fresh(), allowServerToken, serverToken: token }
      const { url, app } = await openFaye(redis.url, options, t)
      const heard: unknown[] = []
      for (const channel of ['/actionhero/app/**']) {
        await app.pubsub.internal.subscribe(channel, (data) => heard.push(data))
      }
      const clientId = await shakeHands(url)
      const tokens = allowServerToken ? wrongTokens : [...wrongTokens, token]
      for (const channel of [...inside, ...closed, ...misspelt]) {
        const isInside = inside.includes(channel)
        for (const serverToken of isInside ? tokens : [undefined, token]) {
          const [published] = await ask(url, {
            channel,
            clientId,
            data: { serverToken, text: 1 },
            ext: { serverToken },
          })
          assert.equal(published!.successful, false, `${channel} with ${serverToken}`)
          assert.match(published!.error!, /^40[35]:/)
          for (const subscription of [channel, [channel], ['/fine', channel]]) {
            const [subscribed] = await ask(url, {
              channel: '/meta/subscribe',
              clientId,
              subscription,
              ext: { serverToken },
            })
            assert.equal(subscribed!.successful, false, `${channel} with ${serverToken}`)
          }
        }
      }
      for (const subscription of ['/actionhero/*', '/actionhero/**', '/ActionHero/**', '/actionhero/calls/*']) {
        const [reply] = await ask(url, {
          channel: '/meta/subscribe',
          clientId,
          subscription,
          ext: { serverToken: token },
        })
        assert.equal(reply!.successful, false, subscription)
      }
      assert.deepEqual(heard, [])
    })
  }

  test('no wildcard hears them', async (t) => {
    const { url, app } = await openFaye(redis.url, { ...fresh(), allowServerToken: true, serverToken: token }, t)
    const clientId = await shakeHands(url)
    await ask(url, { channel: '/meta/subscribe', clientId, subscription: ['/**', '/*'] })
    await app.pubsub.internal.publish('/actionhero/app/news', 'secret')
    await app.pubsub.publish('/open', 'open')
    const [, ...messages] = await ask(url, connectOf(clientId, 1_000))
    assert.deepEqual(messages, [{ channel: '/open', data: 'open' }])
  })

  for (const transport of transports) {
    test(`are open to the right token, which nobody else sees, over ${transport}`, async (t) => {
      const options = { ...fresh(), allowServerToken: true, serverToken: [token, `${token} new`] }
      const commands: string[] = []
      const monitor = await redis.client().monitor()
      monitor.on('monitor', (_time: string, args: string[]) => commands.push(args.join(' ')))
      const { url, app, lines } = await openFaye(redis.url, options, t)
      const byServer: unknown[] = []
      await app.pubsub.internal.subscribe('/actionhero/app/news', (data) => byServer.push(data))
      const client = openClient(url, transport, t)
      client.addExtension({
        outgoing: (message, pass) =>
          pass(message['channel'] === '/meta/subscribe' ? { ...message, ext: { serverToken: token } } : message),
      })
      const heard = await hearing(client, '/actionhero/app/*')
      await settled(client.publish('/actionhero/app/news', { serverToken: token, text: 'one' }))
      await settled(client.publish('/actionhero/app/news', { serverToken: `${token} new`, text: 'two' }))
      await assert.rejects(settled(client.publish('/actionhero/app/news', { serverToken: 'wrong', text: 3 })), {
        code: 403,
      })
      await app.pubsub.internal.publish('/actionhero/app/news', 'by a server')
      // On a channel of everybody's it is taken out all the same.
      const open = await hearing(client, '/open')
      await settled(client.publish('/open', { serverToken: token, text: 'careless' }))
      await until(() => heard.length === 3 && open.length === 1)
      assert.deepEqual(heard, [{ text: 'one' }, { text: 'two' }, 'by a server'])
      assert.deepEqual(byServer, heard)
      assert.deepEqual(open, [{ text: 'careless' }])
      assert.ok(lines.length > 0 && commands.length > 0)
      for (const text of [...lines, ...commands]) assert.ok(!text.includes(token), text)
      monitor.disconnect()
    })
  }
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
