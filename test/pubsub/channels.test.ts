// Subscribing, publishing, unsubscribing, as an app does it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MessageInfo } from 'fastify-ah-pubsub'
import { startRedis, until } from 'fastify-ah-test-support'
import { openPubSub } from './open-pubsub.ts'

const redis = await startRedis({}, test)
const open = (prefix: string, t: Parameters<typeof openPubSub>[1]) => openPubSub({ redis: redis.url, prefix }, t)

describe('channels', () => {
  test('what one app publishes, all that subscribed hear, with its head', async (t) => {
    const [one, other] = [await open('heard:', t), await open('heard:', t)]
    const heard: [string, unknown, MessageInfo][] = []
    await one.subscribe('/chat/lobby', (data, info) => heard.push(['one', data, info]))
    await other.subscribe('/chat/lobby', (data, info) => heard.push(['other', data, info]))
    const before = Date.now()
    await one.publish('/chat/lobby', { text: 'hello' })
    await until(() => heard.length === 2)
    assert.deepEqual(heard.map(([who]) => who).sort(), ['one', 'other'])
    for (const [, data, { channel, from, at, id }] of heard) {
      assert.deepEqual(data, { text: 'hello' })
      assert.deepEqual([channel, from], ['/chat/lobby', one.id])
      assert.ok(Math.abs(at - before) < 5_000, `at ${at}`)
      assert.equal(id, heard[0]?.[2].id)
    }
  })

  test('all of JSON goes through, and each message has an id of its own', async (t) => {
    const pubsub = await open('json:', t)
    const values = [0, '', false, null, [], {}, 'text with "quotes" and 💡', 1e21, [[1], { a: { b: [] } }], '__proto__']
    const heard: unknown[] = []
    const ids = new Set<string>()
    await pubsub.subscribe('/all', (data, { id }) => {
      heard.push(data)
      ids.add(id)
    })
    await Promise.all(values.map((value) => pubsub.publish('/all', value)))
    await until(() => heard.length === values.length)
    assert.deepEqual(heard, values)
    assert.equal(ids.size, values.length)
  })

  test('data is taken at the time of the call', async (t) => {
    const pubsub = await open('taken:', t)
    const heard: unknown[] = []
    await pubsub.subscribe('/all', (data) => heard.push(data))
    const data = { state: 'early' }
    const published = pubsub.publish('/all', data)
    data.state = 'late'
    await published
    await until(() => heard.length === 1)
    assert.deepEqual(heard, [{ state: 'early' }])
  })

  test('what JSON cannot hold is refused before anything is sent', async (t) => {
    const pubsub = await open('refused:', t)
    const heard: unknown[] = []
    await pubsub.subscribe('/all', (data) => heard.push(data))
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const bad = [undefined, () => 1, Symbol('s'), 1n, cycle, JSON.parse('{"a":{"__proto__":{"b":1}}}')]
    const outcomes = await Promise.allSettled([
      pubsub.publish('/all', 'before'),
      ...bad.map((value) => pubsub.publish('/all', value)),
      pubsub.publish('/all', 'after'),
    ])
    const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'sent'))
    assert.deepEqual(codes, ['sent', ...bad.map(() => 'AH_PUBSUB_DATA'), 'sent'])
    await assert.rejects(pubsub.publish('/all', 'x'.repeat(1_048_577)), { code: 'AH_PUBSUB_TOO_LARGE' })
    await until(() => heard.length === 2)
    assert.deepEqual(heard, ['before', 'after'])
    assert.equal(Object.hasOwn(Object.prototype, 'b'), false)
  })

  test('the messages of a tick are one PUBLISH for each channel', async (t) => {
    const pubsub = await open('frames:', t)
    const monitor = redis.client()
    const frames: string[] = []
    await monitor.subscribe('frames:pubsub:/a', 'frames:pubsub:/b')
    monitor.on('message', (channel: string) => frames.push(channel))
    const texts = Array.from({ length: 600 }, (_, index) => index)
    await Promise.all(texts.map((text) => pubsub.publish(text % 3 === 0 ? '/b' : '/a', text)))
    await until(() => frames.length >= 2)
    await pubsub.publish('/a', 'last')
    await until(() => frames.length >= 3)
    assert.deepEqual(frames.sort(), ['frames:pubsub:/a', 'frames:pubsub:/a', 'frames:pubsub:/b'])
  })
})

describe('wildcards', () => {
  test('`*` is one segment, a last `**` one or more, and neither is less', async (t) => {
    const pubsub = await open('wild:', t)
    const heard: Record<string, string[]> = {}
    for (const wildcard of ['/chat/*', '/chat/**', '/*/lobby', '/**', '/chat/*/typing']) {
      const channels: string[] = []
      heard[wildcard] = channels
      await pubsub.subscribe(wildcard, (_data, { channel }) => channels.push(channel))
    }
    const published = ['/chat', '/chat/lobby', '/chat/lobby/typing', '/news/lobby', '/chatter/lobby', '/last/of/all']
    for (const channel of published) await pubsub.publish(channel, 1)
    await until(() => heard['/**']?.length === published.length)
    assert.deepEqual(heard, {
      '/chat/*': ['/chat/lobby'],
      '/chat/**': ['/chat/lobby', '/chat/lobby/typing'],
      '/*/lobby': ['/chat/lobby', '/news/lobby', '/chatter/lobby'],
      '/**': published,
      '/chat/*/typing': ['/chat/lobby/typing'],
    })
  })

  test('a channel and wildcards over it each hear a message once', async (t) => {
    const pubsub = await open('twice:', t)
    const heard: string[] = []
    await pubsub.subscribe('/a/b', () => heard.push('/a/b'))
    await pubsub.subscribe('/a/*', () => heard.push('/a/*'))
    await pubsub.subscribe('/**', () => heard.push('/**'))
    await pubsub.publish('/a/b', 1)
    await pubsub.publish('/a/c', 1)
    await until(() => heard.length === 5)
    assert.deepEqual(heard.sort(), ['/**', '/**', '/a/*', '/a/*', '/a/b'])
    assert.equal(pubsub.stats().dropped.replayed, 0)
  })
})

describe('subscriptions', () => {
  const numsub = async (name: string) => ((await redis.command('PUBSUB', 'NUMSUB', name)) as [string, number])[1]

  test('Redis is asked for the first handler of a channel and told of the last', async (t) => {
    const pubsub = await open('counted:', t)
    const name = 'counted:pubsub:/c'
    const heard: number[] = []
    const handlers = await Promise.all([1, 2, 3].map((number) => pubsub.subscribe('/c', () => heard.push(number))))
    assert.equal(await numsub(name), 1)
    await handlers[0]?.unsubscribe()
    await handlers[1]?.unsubscribe()
    await handlers[1]?.unsubscribe()
    assert.equal(await numsub(name), 1)
    await pubsub.publish('/c', 1)
    await until(() => heard.length === 1)
    assert.deepEqual(heard, [3])
    await handlers[2]?.unsubscribe()
    assert.equal(await numsub(name), 0)
  })

  test('the same handler twice is called twice, and taken back once at a time', async (t) => {
    const pubsub = await open('same:', t)
    let count = 0
    const handler = () => {
      count += 1
    }
    const first = await pubsub.subscribe('/c', handler)
    await pubsub.subscribe('/c', handler)
    await pubsub.publish('/c', 1)
    await until(() => count === 2)
    await first.unsubscribe()
    await pubsub.publish('/c', 1)
    await until(() => count === 3)
  })

  test('who unsubscribes hears nothing more, not even of the same frame', async (t) => {
    const pubsub = await open('ended:', t)
    const heard: unknown[] = []
    const subscription = await pubsub.subscribe('/c', async (data) => {
      heard.push(data)
      await subscription.unsubscribe()
    })
    const all: unknown[] = []
    await pubsub.subscribe('/c', (data) => all.push(data))
    await Promise.all([1, 2, 3].map((number) => pubsub.publish('/c', number)))
    await until(() => all.length === 3)
    assert.deepEqual(heard, [1])
  })

  test('what was unsubscribed from can be subscribed to again, at once', async (t) => {
    const pubsub = await open('again:', t)
    const heard: number[] = []
    for (let round = 0; round < 20; round += 1) {
      const subscription = await pubsub.subscribe('/c', () => heard.push(round))
      await pubsub.publish('/c', 1)
      await until(() => heard.at(-1) === round)
      const gone = subscription.unsubscribe()
      if (round % 2 === 0) await gone
    }
    assert.equal(heard.length, 20)
  })
})
