// The plugin: its options, what it needs, and every store that it works on.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import defaultExport, { fastifyAhFaye, options } from 'fastify-ah-faye'
import * as pluginEntry from 'fastify-ah-faye/plugin'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'
import { atEnd, startRedis, startRedisCluster, type TestScope, until } from 'fastify-ah-test-support'
import { ask, connectOf, shakeHands } from './bayeux-http.ts'
import { hearing, openClient } from './open-faye.ts'

const redis = await startRedis({}, test)

async function refusalOf(given: unknown, scope: TestScope, withPubsub = true): Promise<NodeJS.ErrnoException> {
  const app = fastify()
  atEnd(scope, () => app.close())
  if (withPubsub) app.register(fastifyAhPubsub, { redis: redis.url })
  const registered = Promise.resolve(app.register(fastifyAhFaye, given as never).ready())
  return registered.then(
    () => assert.fail('it was accepted'),
    (thrown) => thrown,
  )
}

describe('options', () => {
  test('a wrong or unknown one is one clear error', async (t) => {
    for (const [given, message] of [
      [{ path: 'faye' }, /option "path": expected a text like .*, got "faye"/],
      [{ path: '/' }, /option "path"/],
      [{ timeoutMs: 0 }, /option "timeoutMs": expected a value >= 6000, got 0/],
      [{ origins: ['shop.example'] }, /option "origins.0"/],
      [{ authorize: { subscribe: true } }, /option "authorize": expected an object of functions/],
      [{ authorize: { publsh: () => true } }, /option "authorize": expected an object of functions/],
      [{ allowServerToken: 'yes' }, /option "allowServerToken": expected boolean, got "yes"/],
      [{ serverToken: ['secret', 'secret', 'secret'] }, /option "serverToken": expected a text, .* \(not shown\)/],
      [{ allowServerToken: true }, /"allowServerToken" is true, and there is no token/],
      [{ mount: '/a' }, /option "mount" is now called "path"/],
      [{ timeout: 45 }, /option "timeout" is now called "timeoutMs"/],
      [{ pathh: '/a' }, /unknown option "pathh", did you mean "path"\?/],
    ] as const) {
      const { code, message: said } = await refusalOf({ redis: redis.url, ...given }, t)
      assert.equal(code, 'AH_FAYE_OPTIONS')
      assert.match(said, message)
      assert.doesNotMatch(said, /secret/)
    }
  })

  test('in production the token has to be long', async (t) => {
    const before = process.env['NODE_ENV']
    atEnd(t, () => {
      if (before === undefined) delete process.env['NODE_ENV']
      else process.env['NODE_ENV'] = before
    })
    process.env['NODE_ENV'] = 'production'
    const app = fastify()
    atEnd(t, () => app.close())
    app.register(fastifyAhPubsub, { redis: redis.url, serverToken: 'long enough: 0123456789abcdef0123456789' })
    const given = { redis: redis.url, allowServerToken: true, serverToken: 'too short' }
    const refused = Promise.resolve(app.register(fastifyAhFaye, given).ready())
    await assert.rejects(refused, { code: 'AH_FAYE_OPTIONS', message: /at least 32 characters, got 9/ })
  })

  test('the schema is exported with its defaults', () => {
    const { redis: _, ...parsed } = options.parse({ redis: redis.url })
    assert.deepEqual(parsed, {
      embedded: false,
      prefix: 'actionhero:',
      pubsub: 'pubsub',
      path: '/faye',
      origins: [],
      allowServerToken: false,
      timeoutMs: 45_000,
      awayMs: 60_000,
      maxMessageBytes: 65_536,
      maxSubscriptions: 100,
      maxQueued: 1_000,
      maxUnsentBytes: 1_048_576,
      maxClients: 10_000,
    })
  })
})

test('without pub/sub, or under another name, the boot says what to do', async (t) => {
  const missing = await refusalOf({ redis: redis.url }, t, false)
  assert.equal(missing.code, 'AH_FAYE_PUBSUB')
  const misnamed = await refusalOf({ redis: redis.url, pubsub: 'other' }, t)
  assert.match(misnamed.message, /no fastify-ah-pubsub called "other" .*: register it before/)
})

test('every way to load it gives the plugin', () => {
  const require = createRequire(import.meta.url)
  assert.equal(defaultExport, fastifyAhFaye)
  assert.equal(require('fastify-ah-faye'), fastifyAhFaye)
  assert.equal(pluginEntry.default, fastifyAhFaye)
})

test('two paths of one app are two: their clients do not know each other, their channels are the same', async (t) => {
  const app = fastify()
  atEnd(t, () => app.close())
  await app.register(fastifyAhPubsub, { redis: redis.url, prefix: 'paths:' })
  await app.register(fastifyAhFaye, { redis: redis.url, prefix: 'paths:' })
  await app.register(fastifyAhFaye, {
    redis: redis.url,
    prefix: 'paths:',
    path: '/two/faye',
    authorize: { publish: () => false },
  })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const heard = await hearing(openClient(`${address}/two/faye`, 'websocket', t), '/a')
  assert.equal((await ask(`${address}/two/faye`, { channel: '/a', data: 1 }))[0]!.successful, false)
  assert.equal((await ask(`${address}/faye`, { channel: '/a', data: 2 }))[0]!.successful, true)
  await until(() => heard.length > 0)
  assert.deepEqual(heard, [2])
})

for (const store of ['the embedded store', 'a Redis Cluster'] as const) {
  test(`all that clients do works on ${store}`, async (t) => {
    const open = async (given: object) => {
      const app = fastify()
      atEnd(t, () => app.close())
      await app.register(fastifyAhPubsub, given)
      await app.register(fastifyAhFaye, { ...given, awayMs: 5_000 })
      return `${await app.listen({ port: 0, host: '127.0.0.1' })}/faye`
    }
    const isCluster = store === 'a Redis Cluster'
    const nodes = isCluster ? (await startRedisCluster({}, t)).nodes.map(({ host, port }) => ({ host, port })) : []
    const given = isCluster ? { redis: { cluster: nodes } } : { embedded: true }
    const first = await open(given)
    const second = isCluster ? await open(given) : first
    for (let client = 0; client < 20; client += 1) {
      const clientId = await shakeHands(first)
      const subscription = ['/a', '/b/*', '/b/c']
      assert.equal((await ask(second, { channel: '/meta/subscribe', clientId, subscription }))[0]!.successful, true)
      await ask(first, { channel: '/meta/unsubscribe', clientId, subscription: '/a' })
      await ask(second, { channel: '/b/c', clientId, data: clientId }, { channel: '/a', data: 1 })
      const [connected, ...messages] = await ask(second, connectOf(clientId, 2_000))
      assert.equal(connected!.successful, true)
      assert.deepEqual(messages[0], { channel: '/b/c', data: clientId })
      await ask(first, { channel: '/meta/disconnect', clientId })
      assert.match((await ask(second, connectOf(clientId)))[0]!.error!, /^401:/)
    }
  })
}
