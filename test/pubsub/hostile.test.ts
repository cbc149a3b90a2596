// What anybody who reaches Redis may write on our channels, and what the servers' own channels take.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PubSub } from 'fastify-ah-pubsub'
import { startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openPubSub } from './open-pubsub.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const token = 'the token of the tests, long enough for all'

/** Sends bytes past the plugin, then a message of its own; resolves when that was heard, so all before it was seen. */
async function fling(
  pubsub: PubSub,
  prefix: string,
  channel: string,
  bytes: readonly (string | Buffer)[],
): Promise<unknown[]> {
  const heard: unknown[] = []
  const subscription = await pubsub.subscribe(channel, (data) => heard.push(data))
  for (const one of bytes) await client.publish(`${prefix}pubsub:${channel}`, one)
  await pubsub.publish(channel, 'end')
  await until(() => heard.includes('end'))
  await subscription.unsubscribe()
  return heard
}

/** What travels on a channel of the servers while `act` is done. */
async function overheard(channel: string, act: () => Promise<unknown>): Promise<Buffer[]> {
  const ear = redis.client()
  const heard: Buffer[] = []
  ear.on('messageBuffer', (_channel: Buffer, bytes: Buffer) => heard.push(bytes))
  await ear.subscribe(channel)
  await act()
  await until(() => heard.length > 0)
  ear.disconnect()
  return heard
}

const frame = (changes: object = {}) =>
  JSON.stringify({ v: 1, boot: 'somebody', seq: 1, at: 1, channel: '/c', items: ['x'], ...changes })

describe('bytes on channels of users', () => {
  test('[24] what is no frame is dropped and counted, whatever it is, and the next message is heard', async (t) => {
    const pubsub = await openPubSub({ redis: redis.url, prefix: 'bytes:' }, t)
    const bytes = [
      ...['', 'null', '7', '[]', '"x"', '{}', '{', 'not json', '\0\0\0', '{"v":1}'],
      '['.repeat(100_000),
      `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
      frame({ items: 'x' }),
      `{"__proto__":{"polluted":true},${frame().slice(1)}`,
      frame().replace('"x"', '{"__proto__":{"polluted":true}}'),
      Buffer.from([0xff, 0xfe, 0x80, 0x00]),
    ]
    assert.deepEqual(await fling(pubsub, 'bytes:', '/c', bytes), ['end'])
    assert.equal(pubsub.stats().dropped.malformed, bytes.length)
    assert.equal(({} as { polluted?: boolean }).polluted, undefined)

    assert.deepEqual(await fling(pubsub, 'bytes:', '/c', [frame({ v: 2 }), frame({ v: 9, items: 'other' })]), ['end'])
    assert.deepEqual(await fling(pubsub, 'bytes:', '/c', [frame({ channel: '/d' }), frame({ channel: '/' })]), ['end'])
    assert.deepEqual(await fling(pubsub, 'bytes:', '/c', ['x'.repeat(10 * 1024 * 1024)]), ['end'])
    const { dropped } = pubsub.stats()
    assert.deepEqual([dropped.version, dropped.foreign, dropped.tooLarge], [2, 2, 1])
  })

  test('a frame that comes twice is heard once', async (t) => {
    const pubsub = await openPubSub({ redis: redis.url, prefix: 'repeated:' }, t)
    const bytes = [frame(), frame(), frame({ seq: 2, items: ['y'] }), frame(), frame({ seq: 2, items: ['z'] })]
    assert.deepEqual(await fling(pubsub, 'repeated:', '/c', bytes), ['x', 'y', 'end'])
    assert.equal(pubsub.stats().dropped.replayed, 3)
  })

  test('a number that was left out is told as a gap, before what comes behind it', async (t) => {
    const pubsub = await openPubSub({ redis: redis.url, prefix: 'numbers:' }, t)
    const gaps: unknown[] = []
    pubsub.onGap((gap) => gaps.push(gap))
    await fling(pubsub, 'numbers:', '/c', [frame({ seq: 5 }), frame({ seq: 6 }), frame({ seq: 9 })])
    await until(() => gaps.length > 0)
    assert.deepEqual(gaps, [{ channels: ['/c'], reason: 'sequence', from: 'somebody' }])
    assert.equal(pubsub.stats().gaps, 1)
  })
})

describe('channels of the servers', () => {
  const open = (t: TestScope, prefix: string, serverToken: string | readonly string[] = token) =>
    openPubSub({ redis: redis.url, prefix, serverToken }, t)

  test('[25] a message that was recorded is dropped when it comes again, here and at one who subscribes later', async (t) => {
    const [one, two] = [await open(t, 'replay:'), await open(t, 'replay:')]
    const heard: unknown[] = []
    await two.internal.subscribe('/actionhero/app/x', (data) => heard.push(data))
    const channel = 'replay:pubsub-internal:/actionhero/app/x'
    const recorded = await overheard(channel, () => one.internal.publish('/actionhero/app/x', 'once'))
    await until(() => heard.length === 1)
    for (const bytes of recorded) await client.publish(channel, bytes)
    await one.internal.publish('/actionhero/app/x', 'end')
    await until(() => heard.includes('end'))
    assert.deepEqual(heard, ['once', 'end'])
    assert.equal(two.stats().dropped.replayed, 1)
  })

  test('[25] an altered byte, another channel, another token, none: dropped and counted', async (t) => {
    const [one, two] = [await open(t, 'forged:'), await open(t, 'forged:')]
    const heard: unknown[] = []
    await two.internal.subscribe('/actionhero/app/x', (data) => heard.push(data))
    await two.internal.subscribe('/actionhero/app/y', (data) => heard.push(data))
    const stem = 'forged:pubsub-internal:/actionhero/app'
    const [recorded] = await overheard(`${stem}/x`, () => one.internal.publish('/actionhero/app/x', 'first'))
    const altered = Buffer.from(recorded!)
    altered[altered.indexOf('first')] = 'F'.charCodeAt(0)
    await client.publish(`${stem}/x`, altered)
    await client.publish(`${stem}/y`, recorded!)
    await client.publish(`${stem}/x`, recorded!.subarray(recorded!.indexOf('{')))
    await client.publish(`${stem}/x`, recorded!.subarray(0, -1))
    await client.publish(`${stem}/x`, '')
    const stranger = await open(t, 'forged:', 'another token that is long enough, too')
    await stranger.internal.publish('/actionhero/app/x', 'of a stranger')
    await one.internal.publish('/actionhero/app/x', 'end')
    await until(() => heard.includes('end'))
    assert.deepEqual(heard, ['first', 'end'])
    // The stranger announced itself as a node too.
    assert.ok(two.stats().dropped.forged >= 6, `${two.stats().dropped.forged}`)
  })

  test('[25] without the token nobody calls, and nobody is called', async (t) => {
    const one = await open(t, 'strange:')
    const stranger = await open(t, 'strange:', 'another token that is long enough, too')
    let calls = 0
    one.handle('count', () => {
      calls += 1
    })
    await assert.rejects(stranger.call('count', undefined, { node: one.id, timeoutMs: 300 }), {
      code: 'AH_PUBSUB_CALL_TIMEOUT',
    })
    assert.equal(calls, 0)
  })

  test('[25] while a token is replaced, nodes before, during and after understand each other step by step', async (t) => {
    const next = 'the next token of the tests, also long enough'
    const nodes = await Promise.all([
      open(t, 'rotate:'),
      open(t, 'rotate:', [token, next]),
      open(t, 'rotate:', [next, token]),
      open(t, 'rotate:', next),
    ])
    for (const [index, node] of nodes.entries()) node.handle('who', () => index)
    const asks = (from: number, to: number) =>
      nodes[from]!.call('who', undefined, { node: nodes[to]!.id, timeoutMs: 2_000 })
    for (const [from, to] of [
      [0, 1],
      [1, 0],
      [1, 2],
      [2, 1],
      [2, 3],
      [3, 2],
    ] as const)
      assert.equal(await asks(from, to), to)
  })

  test('[25] neither a channel nor a wildcard of users reaches them', async (t) => {
    const pubsub = await open(t, 'reach:')
    const heard: unknown[] = []
    for (const wildcard of ['/**', '/*/*/*', '/*/**']) await pubsub.subscribe(wildcard, (data) => heard.push(data))
    const internal: unknown[] = []
    await pubsub.internal.subscribe('/actionhero/app/**', (data) => internal.push(data))
    await pubsub.internal.publish('/actionhero/app/x', 'secret')
    pubsub.handle('nothing', () => undefined)
    await pubsub.call('nothing')
    await pubsub.publish('/actionheroes/app/x', 'end')
    await until(() => heard.length >= 3)
    await until(() => internal.length === 1)
    assert.deepEqual(heard, ['end', 'end', 'end'])
    for (const name of ['/actionhero/app/x', '/ActionHero/app/x', '/actionhero/**', '/actionhero./app']) {
      await assert.rejects(pubsub.publish(name, 1), { code: /AH_PUBSUB_C/ })
      await assert.rejects(
        pubsub.subscribe(name, () => undefined),
        { code: 'AH_PUBSUB_CLOSED_CHANNEL' },
      )
      assert.throws(() => pubsub.channel(name), { code: /AH_PUBSUB_C/ })
    }
    for (const name of ['/actionhero/node/x', '/actionhero/calls', '/actionhero/nodes', '/actionhero/app', '/x']) {
      await assert.rejects(pubsub.internal.publish(name, 1), { code: 'AH_PUBSUB_CHANNEL' })
      await assert.rejects(
        pubsub.internal.subscribe(name, () => undefined),
        { code: 'AH_PUBSUB_CHANNEL' },
      )
    }
  })
})
