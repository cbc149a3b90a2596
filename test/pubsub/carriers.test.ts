// What messages carry for those who trace: from the publication to the run of each handler.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import { test } from 'node:test'
import type { CallTrace, DeliverTrace, HandleTrace, PublishTrace } from 'fastify-ah-pubsub'
import { atEnd, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { internal } from './internal.ts'
import { openPubSub } from './open-pubsub.ts'

const { encodeFrame, decodeFrame } = await internal<typeof import('../../packages/pubsub/dist/frame.js')>('frame')
const redis = await startRedis({}, test)

/** Listens for as long as the test runs. */
function listen<Message>(scope: TestScope, name: string, listener: (message: Message) => void): void {
  const one = channel(`tracing:fastify-ah-pubsub:${name}`)
  const heard = (message: unknown): void => listener(message as Message)
  one.subscribe(heard)
  atEnd(scope, () => void one.unsubscribe(heard))
}

test('a message carries what a subscriber writes at its publication, and handlers run in their surroundings, in order', async (t) => {
  const inside = new AsyncLocalStorage<string>()
  const pubsub = await openPubSub({ redis: redis.url, prefix: 'carriers:' }, t)
  const seen: unknown[] = []
  await pubsub.subscribe('/news/*', (data, info) => {
    seen.push([data, inside.getStore(), info.channel])
    if (data === 2) throw new Error('the handler fails')
  })
  await pubsub.publish('/news/a', 0)
  await until(() => seen.length === 1)
  const told: unknown[] = []
  listen<PublishTrace>(t, 'publish:start', ({ data, carrier }) => {
    if (data !== 3) Object.assign(carrier, { traceparent: `of ${data}`, ignored: 'x'.repeat(600) })
  })
  listen<DeliverTrace>(t, 'deliver:start', ({ channel: name, data, carrier, from, surround }) => {
    told.push([name, data, carrier?.['traceparent'], from === pubsub.id])
    surround((work) => inside.run(carrier?.['traceparent'] ?? 'nothing', work))
  })
  await Promise.all([1, 2, 3, 4].map((data) => pubsub.publish('/news/b', data)))
  await until(() => seen.length === 5)
  assert.deepEqual(seen, [
    [0, undefined, '/news/a'],
    [1, 'of 1', '/news/b'],
    [2, 'of 2', '/news/b'],
    [3, 'nothing', '/news/b'],
    [4, 'of 4', '/news/b'],
  ])
  assert.deepEqual(told, [
    ['/news/b', 1, 'of 1', true],
    ['/news/b', 2, 'of 2', true],
    ['/news/b', 3, undefined, true],
    ['/news/b', 4, 'of 4', true],
  ])
  await until(() => pubsub.stats().handlerErrors === 1)
})

test('a call carries what a subscriber writes at its start to the handler on another node, of one and of all', async (t) => {
  const inside = new AsyncLocalStorage<string>()
  const options = { redis: redis.url, prefix: 'calls:' }
  const [here, there] = [await openPubSub(options, t), await openPubSub(options, t)]
  for (const pubsub of [here, there]) {
    pubsub.handle('where', async () => {
      await Promise.resolve()
      return inside.getStore() ?? 'nothing'
    })
  }
  await until(async () => (await here.nodes()).filter(({ handles }) => handles.includes('where')).length === 2)
  assert.equal(await here.call('where', {}, { node: there.id }), 'nothing')
  listen<CallTrace>(t, 'call:start', ({ carrier }) => void Object.assign(carrier, { traceparent: 'of the call' }))
  const told: unknown[] = []
  listen<HandleTrace>(t, 'handle:start', ({ name, node, carrier, surround }) => {
    told.push([name, node, { ...carrier }])
    surround((work) => inside.run(carrier?.['traceparent'] ?? 'none', work))
  })
  assert.equal(await here.call('where', {}, { node: there.id }), 'of the call')
  assert.deepEqual(told, [['where', here.id, { traceparent: 'of the call' }]])
  const answers = await here.callAll<string>('where')
  assert.deepEqual(
    answers.map((answer) => 'result' in answer && answer.result),
    ['of the call', 'of the call'],
  )
})

test('[24] what messages carry stands behind them, where other releases do not look, and harms nobody', () => {
  const head = { boot: 'me', seq: 1, isFirst: false, at: 1, channel: '/a' }
  const carrier = { traceparent: '00-1' }
  const text = encodeFrame(head, ['1', { text: '{"a":2}', carrier }])
  assert.deepEqual(JSON.parse(text), {
    v: 1,
    boot: 'me',
    seq: 1,
    at: 1,
    channel: '/a',
    items: [1, { a: 2 }],
    carriers: { 1: carrier },
  })
  const frame = decodeFrame(text)
  assert.ok(typeof frame === 'object')
  assert.deepEqual(frame.carriers, { 1: carrier })
  assert.equal(encodeFrame(head, ['1', '2']).includes('carriers'), false)
  const only = JSON.parse(encodeFrame(head, [{ text: '3', carrier }])) as { items: unknown; carriers: unknown }
  assert.deepEqual([only.items, only.carriers], [[3], { 0: carrier }])
  for (const carriers of ['null', '1', '"x"', '[]', '[1]', '{"0":1}', '{"0":{"a":{"b":1}}}']) {
    const read = decodeFrame(`${encodeFrame(head, ['1']).slice(0, -1)},"carriers":${carriers}}`)
    assert.ok(typeof read === 'object', carriers)
    assert.deepEqual(read.items, [1])
  }
})

test('[24] carriers that anybody may have written are as good as none, unless they are short texts', async (t) => {
  const pubsub = await openPubSub({ redis: redis.url, prefix: 'strange:' }, t)
  const seen: unknown[] = []
  await pubsub.subscribe('/news', (data) => void seen.push(data))
  const carriers: unknown[] = []
  listen<DeliverTrace>(t, 'deliver:start', ({ carrier }) => carriers.push(carrier && { ...carrier }))
  const frame = (seq: number, more: string) =>
    `{"v":1,"boot":"stranger","seq":${seq},"at":1,"channel":"/news","items":[${seq}],"carriers":${more}}`
  const strange = [
    '1',
    '[["a"]]',
    '{"0":"text"}',
    '{"0":{"a":1,"b":"fits"}}',
    '{"0":{"a":{}}}',
    '{"0":null,"1":{"a":"b"}}',
  ]
  for (const [index, more] of strange.entries())
    await redis.command('PUBLISH', 'strange:pubsub:/news', frame(index + 1, more))
  await until(() => seen.length === strange.length)
  assert.deepEqual(carriers, [undefined, { 0: 'a' }, undefined, { b: 'fits' }, undefined, undefined])
})
