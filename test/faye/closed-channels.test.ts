// The servers' channels: closed in every spelling, and open below /actionhero/app/ to who has the token, where that is allowed.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { ask, connectOf, shakeHands } from './bayeux-http.ts'
import { hearing, openClient, openFaye, settled, transports } from './open-faye.ts'

const redis = await startRedis({}, test)
const token = 'a token that is long enough: 0123456789abcdef'
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `closed-${prefixes}:` }
}

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
