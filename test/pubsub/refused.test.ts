// A Redis that says no, to one command or for a while.
import assert from 'node:assert/strict'
import { tracingChannel } from 'node:diagnostics_channel'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify from 'fastify'
import { lifecycleOf } from 'fastify-ah-kit'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'
import { atEnd, startRedis, until } from 'fastify-ah-test-support'
import { openApp, openPubSub } from './open-pubsub.ts'

const redis = await startRedis({}, test)

describe('a right that is missing', () => {
  test('[6] to publish: one clear error at boot', async (t) => {
    const url = await redis.denyCommand('publish')
    const pubsub = await openPubSub({ redis: url, prefix: 'nopub:' }, t).catch((error) => error)
    // A node that cannot say that it joined does not boot in silence.
    assert.equal(pubsub.code, 'AH_KIT_REDIS_REFUSED')
    assert.match(pubsub.message, /publish/)
  })

  test('[6] to subscribe: one clear error at boot', async (t) => {
    const app = fastify()
    atEnd(t, () => app.close())
    const url = await redis.denyCommand('subscribe')
    await assert.rejects(Promise.resolve(app.register(fastifyAhPubsub, { redis: url }).ready()), {
      code: 'AH_KIT_REDIS_REFUSED',
      message: /subscribe/,
    })
  })

  test('[6] to look at its own connection: probes do without', async (t) => {
    const app = await openApp({ redis: await redis.denyCommand('client|info'), prefix: 'noinfo:', probeMs: 50 }, t)
    const heard: unknown[] = []
    await app.pubsub.subscribe('/a', (data) => heard.push(data))
    await until(async () => (await lifecycleOf(app).readiness()).ready)
    await app.pubsub.publish('/a', 1)
    await until(() => heard.length === 1)
  })

  test('[6] on some channels: those are refused, all others work', async (t) => {
    await redis.command(
      'ACL',
      'SETUSER',
      'some',
      'on',
      '>some',
      '~*',
      '+@all',
      'resetchannels',
      '&some:pubsub-*',
      '&some:pubsub:/good*',
    )
    const url = `redis://some:some@${redis.host}:${redis.port}`
    const pubsub = await openPubSub({ redis: url, prefix: 'some:' }, t)
    const heard: unknown[] = []
    const outcomes = await Promise.allSettled(
      ['/good/a', '/bad/a', '/good/b', '/bad/b'].map((channel) =>
        pubsub.subscribe(channel, (data) => heard.push(data)),
      ),
    )
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'held')),
      ['held', 'AH_KIT_REDIS_REFUSED', 'held', 'AH_KIT_REDIS_REFUSED'],
    )
    await assert.rejects(pubsub.publish('/bad/a', 1), { code: 'AH_KIT_REDIS_REFUSED' })
    await pubsub.publish('/good/a', 1)
    await pubsub.publish('/good/b', 2)
    await until(() => heard.length === 2)
    assert.equal(pubsub.stats().subscriptions, 5)
  })
})

test('[7] each command is refused for a while: the loops go on, and all works again', async (t) => {
  const url = await redis.denyCommand('debug')
  const [user = ''] = new URL(url).username.split(':')
  const options = { redis: url, prefix: 'while:', probeMs: 50, leaseMs: 900 }
  const [app, other] = [await openApp(options, t), await openPubSub(options, t)]
  const heard: unknown[] = []
  await app.pubsub.subscribe('/a', (data) => heard.push(data))
  other.handle('who', () => 'other')
  const commands = ['publish', 'subscribe', 'eval', 'evalsha', 'time', 'ping', 'client', 'hset', 'zadd', 'hgetall']
  for (const command of commands) {
    await redis.command('ACL', 'SETUSER', user, `-${command}`)
    // Time is the subject: some rounds of each loop, and a connection that is opened anew.
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await Promise.allSettled([app.pubsub.publish('/a', 'during'), app.pubsub.nodes(), sleep(150)])
    await redis.command('ACL', 'SETUSER', user, `+${command}`)
    await until(async () => (await lifecycleOf(app).readiness()).ready, { what: `ready after ${command}` })
    heard.length = 0
    await other.publish('/a', command)
    await until(() => heard.includes(command))
    assert.equal(await app.pubsub.call('who', 1, { node: other.id }), 'other')
  }
})

test('who listens to the tracing channels is told; each error too', async (t) => {
  const pubsub = await openPubSub({ redis: redis.url, prefix: 'traces:' }, t)
  pubsub.handle('add', (args: number[]) => (args[0] ?? 0) + (args[1] ?? 0))
  const told: unknown[] = []
  for (const verb of ['publish', 'call', 'handle']) {
    const channel = tracingChannel(`fastify-ah-pubsub:${verb}`)
    const listener = {
      asyncEnd: (context: object) => {
        const { channel: name, node, error, carrier, surround, ...rest } = context as Record<string, unknown>
        told.push([
          verb,
          {
            ...rest,
            // Where something begins it may carry something, where it is taken up it may be surrounded.
            has: [typeof carrier, typeof surround],
            ...(name === undefined ? { node } : { name }),
            ...(error === undefined ? {} : { code: (error as { code: string }).code }),
          },
        ])
      },
    }
    channel.subscribe(listener as never)
    atEnd(t, () => channel.unsubscribe(listener as never))
  }
  await pubsub.publish('/a', 1)
  await pubsub.call('add', [1, 2], { node: pubsub.id })
  await assert.rejects(pubsub.publish('no channel', 1))
  const { id: node } = pubsub
  const begins = ['object', 'undefined']
  assert.deepEqual(told, [
    ['publish', { data: 1, result: undefined, name: '/a', has: begins }],
    ['handle', { name: 'add', args: [1, 2], result: 3, node, has: ['undefined', 'function'] }],
    ['call', { name: 'add', args: [1, 2], result: 3, node, has: begins }],
    ['publish', { data: 1, name: 'no channel', code: 'AH_PUBSUB_CHANNEL', has: begins }],
  ])
})
