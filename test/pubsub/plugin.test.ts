// The plugin: its options, its decorator, how others find it, how it boots and ends.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import { foundInApp, identity, lifecycleOf } from 'fastify-ah-kit'
import defaultExport, { fastifyAhPubsub, options, type PubSub } from 'fastify-ah-pubsub'
import * as pluginEntry from 'fastify-ah-pubsub/plugin'
import { atEnd, spawnNode, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openApp, openPubSub } from './open-pubsub.ts'

const redis = await startRedis({}, test)

async function refusalOf(given: unknown, scope: TestScope): Promise<string> {
  const app = fastify()
  atEnd(scope, () => app.close())
  const registered = app.register(fastifyAhPubsub, given as never).ready()
  const error: NodeJS.ErrnoException = await Promise.resolve(registered).then(
    () => assert.fail('it was accepted'),
    (thrown) => thrown,
  )
  assert.equal(error.code, 'AH_PUBSUB_OPTIONS')
  return error.message
}

describe('options', () => {
  test('a wrong or unknown option is one clear error, which never holds the token', async (t) => {
    for (const [given, message] of [
      [{ leaseMs: 0 }, /option "leaseMs": expected a value >= 300, got 0/],
      [{ probeMs: '1s' }, /option "probeMs": expected integer, got "1s"/],
      [{ callTimeoutMs: 1.5 }, /option "callTimeoutMs": expected integer/],
      [{ maxMessageBytes: 10 }, /option "maxMessageBytes"/],
      [{ sharded: 'yes' }, /option "sharded": expected boolean/],
      [{ decorator: 'a-b' }, /option "decorator"/],
      [{ serverToken: 7 }, /option "serverToken": expected a text, or a list of one or two texts/],
      [{ serverToken: '' }, /option "serverToken"/],
      [{ serverToken: [] }, /option "serverToken"/],
      [{ serverToken: ['secret one', 'secret two', 'secret three'] }, /option "serverToken": (?!.*secret o)/],
      [{ serverToken: ['secret one', null] }, /option "serverToken": (?!.*secret o)/],
      [{ leasems: 5 }, /unknown option "leasems", did you mean "leaseMs"\?/],
      [{ rpcTimeout: 5 }, /option "rpcTimeout" is now called "callTimeoutMs"/],
      [{ redis: 7 }, /option "redis"/],
    ] as const) {
      assert.match(await refusalOf({ redis: redis.url, ...given }, t), message)
    }
  })

  test('[8] a prefix that is empty, or has braces, spaces or glob characters, is refused', async (t) => {
    for (const prefix of ['', 'a b', '{a}', 'a}', 'a\n', 'a*', 7]) {
      assert.match(await refusalOf({ redis: redis.url, prefix }, t), /option "prefix": expected /)
    }
  })

  test('the schema is exported with its defaults', () => {
    const { redis: _, ...parsed } = options.parse({ redis: redis.url })
    assert.deepEqual(parsed, {
      embedded: false,
      prefix: 'actionhero:',
      decorator: 'pubsub',
      sharded: false,
      leaseMs: 9_000,
      probeMs: 1_000,
      callTimeoutMs: 5_000,
      maxMessageBytes: 1_048_576,
    })
  })

  test('[25] in production a default or short token is refused at boot, before anything is opened', async (t) => {
    const program = new URL('./programs/boot.js', import.meta.url)
    for (const [token, code] of [
      [undefined, 'AH_PUBSUB_TOKEN'],
      ['change-me', 'AH_PUBSUB_TOKEN'],
      ['only thirty-one characters long', 'AH_PUBSUB_TOKEN'],
      ['thirty-two characters, at the least', 'ready'],
    ] as const) {
      const env = { NODE_ENV: 'production', SERVER_TOKEN: token, REDIS_URL: redis.url }
      const child = spawnNode(program, { env }, t)
      assert.deepEqual(await child.exited, { code: code === 'ready' ? 0 : 1, signal: null }, child.stderr())
      assert.ok(child.stdout().includes(code), child.stdout())
      assert.ok(token === undefined || !child.stdout().includes(token), 'the token is shown to nobody')
    }
  })
})

describe('decorator', () => {
  test('it is there in every scope, and found by its symbol from anywhere', async (t) => {
    let seen: PubSub | undefined
    const app = await openApp({ redis: redis.url }, t, (root) =>
      root.register(async (scope) => {
        seen = scope.pubsub
      }),
    )
    assert.equal(seen, app.pubsub)
    assert.equal(foundInApp<ReadonlyMap<string, PubSub>>(app, 'pubsub')?.get('pubsub'), app.pubsub)
  })

  test('[8] two apps with different prefixes on one Redis never hear each other', async (t) => {
    const [one, two] = await Promise.all(
      ['shop:', 'shop:pubsub:'].map((prefix) => openPubSub({ redis: redis.url, prefix }, t)),
    )
    const heard: unknown[] = []
    for (const name of ['/**', '/c', '/*']) {
      await one?.subscribe(name, (data) => heard.push(['one', data]))
      await two?.subscribe(name, (data) => heard.push(['two', data]))
    }
    const internal: unknown[] = []
    await two?.internal.subscribe('/actionhero/app/**', (data) => internal.push(data))
    await one?.internal.publish('/actionhero/app/x', 1)
    one?.handle('who', () => 'one')
    assert.deepEqual(
      (await one?.nodes())?.map(({ id }) => id),
      [one?.id],
    )
    assert.deepEqual(
      (await two?.nodes())?.map(({ id }) => id),
      [two?.id],
    )
    await assert.rejects(two!.call('who', 1, { node: one!.id }), { code: 'AH_PUBSUB_NODE_GONE' })
    await assert.rejects(two!.call('who'), { code: 'AH_PUBSUB_NO_HANDLER' })
    assert.equal((await one!.callAll('who')).length, 1)
    await one?.publish('/c', 1)
    await two?.publish('/c', 2)
    await two?.internal.publish('/actionhero/app/x', 2)
    await until(() => heard.length === 6 && internal.length === 1)
    assert.deepEqual(heard.map(String).sort(), ['one,1', 'one,1', 'one,1', 'two,2', 'two,2', 'two,2'])
    assert.deepEqual(internal, [2])
  })

  test('two in one app have two names, and a name that is taken is refused', async (t) => {
    const app = fastify()
    atEnd(t, () => app.close())
    await app.register(fastifyAhPubsub, { redis: redis.url, prefix: 'one:' })
    await app.register(fastifyAhPubsub, { redis: redis.url, prefix: 'two:', decorator: 'audit' })
    const { pubsub, audit } = app as unknown as { pubsub: PubSub; audit: PubSub }
    assert.notEqual(pubsub.id, audit.id)
    assert.deepEqual([...foundInApp<ReadonlyMap<string, PubSub>>(app, 'pubsub')!.keys()], ['pubsub', 'audit'])
    await assert.rejects(Promise.resolve(app.register(fastifyAhPubsub, { redis: redis.url }).ready()), /is taken/)
  })
})

describe('life', () => {
  test('a node says who it is', async (t) => {
    const pubsub = await openPubSub({ redis: redis.url, prefix: 'who:' }, t)
    pubsub.handle('x', () => 1)
    const { title, host, pid, role } = identity()
    const [node] = await until(async () => {
      const nodes = await pubsub.nodes()
      return nodes[0]?.handles.length === 1 && nodes
    })
    const { startedAt, ...rest } = node!
    assert.deepEqual(rest, { id: pubsub.id, title, host, pid, role: role ?? null, handles: ['x'] })
    assert.ok(Math.abs(startedAt - Date.now()) < 10_000)
  })

  test('it is on the list once the app is ready, and gone when it is closed; others hear of both', async (t) => {
    const one = await openPubSub({ redis: redis.url, prefix: 'list:' }, t)
    const events: string[] = []
    one.on('nodeJoined', ({ id }) => events.push(`joined ${id}`))
    const stop = one.on('nodeLeft', ({ id }) => events.push(`left ${id}`))
    const app = await openApp({ redis: redis.url, prefix: 'list:' }, t)
    const { id } = app.pubsub
    assert.deepEqual((await one.nodes()).map((node) => node.id).sort(), [one.id, id].sort())
    await until(() => events.length === 1)
    await app.close()
    assert.deepEqual(
      (await one.nodes()).map((node) => node.id),
      [one.id],
    )
    await until(() => events.length === 2)
    assert.deepEqual(events, [`joined ${id}`, `left ${id}`])
    stop()
    const third = await openApp({ redis: redis.url, prefix: 'list:' }, t)
    await until(() => events.length === 3)
    await third.close()
    const fourth = await openApp({ redis: redis.url, prefix: 'list:' }, t)
    await until(() => events.length === 4)
    assert.deepEqual(
      events.slice(2),
      [third, fourth].map(({ pubsub }) => `joined ${pubsub.id}`),
    )
    assert.throws(() => one.on('nodeDied' as never, () => 1), { code: 'AH_PUBSUB_OPTIONS' })
    assert.throws(() => one.on('constructor' as never, () => 1), { code: 'AH_PUBSUB_OPTIONS' })
  })

  test('ready only while its connection is proven to hear', async (t) => {
    const app = await openApp({ redis: redis.url, prefix: 'ready:', probeMs: 50 }, t)
    await until(async () => (await lifecycleOf(app).readiness()).ready)
  })

  test('calls that are handled when the app ends are answered; after that everything is refused', async (t) => {
    const one = await openPubSub({ redis: redis.url, prefix: 'end:' }, t)
    const app = await openApp({ redis: redis.url, prefix: 'end:' }, t)
    let finish: (() => void) | undefined
    const slow = () =>
      new Promise<string>((resolve) => {
        finish = () => resolve('done')
      })
    app.pubsub.handle('slow', slow)
    const called = one.call('slow', undefined, { node: app.pubsub.id })
    const end = await until(() => finish)
    const closed = app.close()
    end()
    assert.equal(await called, 'done')
    await closed
    await app.close()
    for (const attempt of [
      () => app.pubsub.publish('/c', 1),
      () => app.pubsub.subscribe('/c', () => 1),
      () => app.pubsub.call('slow', 1, { node: one.id }),
      () => app.pubsub.internal.publish('/actionhero/app/x', 1),
    ]) {
      await assert.rejects(attempt(), (error: NodeJS.ErrnoException) =>
        /^AH_(PUBSUB_CLOSED|KIT_REDIS_DOWN)$/.test(error.code!),
      )
    }
  })
})

describe('exports', () => {
  test('every way to load it gives the plugin', () => {
    const require = createRequire(import.meta.url)
    assert.equal(defaultExport, fastifyAhPubsub)
    assert.equal(require('fastify-ah-pubsub'), fastifyAhPubsub)
    assert.equal(require('fastify-ah-pubsub/plugin'), fastifyAhPubsub)
    assert.equal(pluginEntry.fastifyAhPubsub, fastifyAhPubsub)
    assert.equal(pluginEntry.default, fastifyAhPubsub)
  })
})
