// Redis channels of other plugins, whose bytes come from their scripts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AH_PUBSUB_CHANNEL, AH_PUBSUB_CLOSED } from 'fastify-ah-pubsub'
import { startRedis, until } from 'fastify-ah-test-support'
import { openApp, openPubSub } from './open-pubsub.ts'

const redis = await startRedis({}, test)

test('bytes come as they were published, to the one listener, until it is taken back', async (t) => {
  const { raw } = await openPubSub({ redis: redis.url, prefix: 'raw-1:' }, t)
  assert.equal(raw.publishCommand, 'PUBLISH')
  const heard: string[] = []
  const listener = { onBytes: (bytes: Buffer) => void heard.push(bytes.toString()), onGap: () => undefined }
  const held = await raw.subscribe('mine:{1}:a', listener)
  await assert.rejects(raw.subscribe('mine:{1}:a', listener), AH_PUBSUB_CHANNEL)
  await redis.command('PUBLISH', 'mine:{1}:a', 'no frame at all')
  await until(() => heard.length === 1)
  assert.deepEqual(heard, ['no frame at all'])
  await held.unsubscribe()
  await held.unsubscribe()
  assert.equal(await redis.command('PUBLISH', 'mine:{1}:a', 'to nobody'), 0)
  const again = await raw.subscribe('mine:{1}:a', listener)
  await redis.command('PUBLISH', 'mine:{1}:a', 'again')
  await until(() => heard.length === 2)
  assert.equal(heard[1], 'again')
  await again.unsubscribe()
})

test("patterns and pub/sub's own names are refused", async (t) => {
  const { raw } = await openPubSub({ redis: redis.url, prefix: 'raw-2:' }, t)
  const listener = { onBytes: () => undefined, onGap: () => undefined }
  for (const name of ['', 'a*', 'raw-2:pubsub:/a', 'raw-2:pubsub-internal:/a', 'raw-2:pubsub-probe:a']) {
    await assert.rejects(raw.subscribe(name, listener), AH_PUBSUB_CHANNEL, name)
  }
})

test('[21] Redis is restarted: the gap is told, and bytes come again', async (t) => {
  const own = await startRedis({}, t)
  const { raw } = await openPubSub({ redis: own.url }, t)
  let gaps = 0
  const heard: string[] = []
  const onGap = (): void => {
    gaps += 1
  }
  await raw.subscribe('mine', { onBytes: (bytes) => void heard.push(bytes.toString()), onGap })
  await own.restart()
  await until(() => gaps > 0)
  await own.command('PUBLISH', 'mine', 'after')
  await until(() => heard.includes('after'))
})

test('a listener that throws is logged, and hears the next; a closed app has none', async (t) => {
  const app = await openApp({ redis: redis.url, prefix: 'raw-4:' }, t)
  let heard = 0
  const onBytes = () => {
    heard += 1
    throw new Error('on purpose')
  }
  await app.pubsub.raw.subscribe('raw-4', { onBytes, onGap: () => undefined })
  await redis.command('PUBLISH', 'raw-4', '1')
  await redis.command('PUBLISH', 'raw-4', '2')
  await until(() => heard === 2)
  await app.close()
  await assert.rejects(app.pubsub.raw.subscribe('raw-4', { onBytes, onGap: () => undefined }), AH_PUBSUB_CLOSED)
})
