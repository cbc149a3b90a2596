// Typed channels, and what their schema does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { openPubSub } from './open-pubsub.ts'

const redis = await startRedis({}, test)
const schema = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'integer' }, at: { type: 'string', format: 'date-time' } },
  additionalProperties: false,
}

test('what does not fit is refused where it is published, and dropped and counted where it arrives', async (t) => {
  const pubsub = await openPubSub({ redis: redis.url, prefix: 'typed:' }, t)
  const orders = pubsub.channel<{ id: number; at?: string }>('/typed/orders', { schema })
  const heard: unknown[] = []
  const all: unknown[] = []
  const subscription = await orders.subscribe((order, { channel }) => heard.push([channel, order]))
  await pubsub.subscribe('/typed/orders', (data) => all.push(data))
  for (const wrong of [{}, { id: '7' }, { id: 7.5 }, { id: 7, more: 1 }, null, { id: 7, at: 'yesterday' }]) {
    await assert.rejects(orders.publish(wrong as never), { code: 'AH_PUBSUB_INVALID' })
    await pubsub.publish('/typed/orders', wrong)
  }
  await orders.publish({ id: 7, at: '2026-01-01T00:00:00Z' })
  await until(() => heard.length === 1)
  assert.deepEqual(heard, [['/typed/orders', { id: 7, at: '2026-01-01T00:00:00Z' }]])
  assert.equal(all.length, 7, 'who asks for no check gets all')
  assert.equal(pubsub.stats().dropped.invalid, 6)
  assert.equal(orders.name, '/typed/orders')
  await subscription.unsubscribe()
})

test('a channel without a schema takes everything; a wrong schema, name or option is refused at once', async (t) => {
  const pubsub = await openPubSub({ redis: redis.url, prefix: 'plain:' }, t)
  const channel = pubsub.channel('/plain')
  const heard: unknown[] = []
  await channel.subscribe((data) => heard.push(data))
  await channel.publish({ any: 'thing' })
  await until(() => heard.length === 1)
  assert.throws(() => pubsub.channel('/x', { schema: { type: 'nonsense' } }), { code: 'AH_PUBSUB_SCHEMA' })
  assert.throws(() => pubsub.channel('/x', { schema: 7 as never }), { code: 'AH_PUBSUB_OPTIONS' })
  assert.throws(() => pubsub.channel('/x', { scheme: {} } as never), { code: 'AH_PUBSUB_OPTIONS' })
  assert.throws(() => pubsub.channel('/x/*'), { code: 'AH_PUBSUB_CHANNEL' })
  assert.throws(() => pubsub.channel('x'), { code: 'AH_PUBSUB_CHANNEL' })
})

test('[27] a handler that throws or rejects keeps the message from nobody else, and is counted', async (t) => {
  const pubsub = await openPubSub({ redis: redis.url, prefix: 'throws:' }, t)
  const heard: unknown[] = []
  await pubsub.subscribe('/c', () => {
    throw undefined
  })
  await pubsub.subscribe('/c', () => Promise.reject(new Error('later')))
  await pubsub.subscribe('/c', (data) => heard.push(data))
  await pubsub.subscribe('/*', () => {
    throw new Proxy({}, { getPrototypeOf: () => assert.fail('trap') })
  })
  await pubsub.subscribe('/*', (data) => heard.push(data))
  await Promise.all([pubsub.publish('/c', 1), pubsub.publish('/c', 2)])
  await until(() => heard.length === 4)
  await until(() => pubsub.stats().handlerErrors === 6)
})
