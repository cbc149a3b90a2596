// Redis is there and says nothing: a black hole.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { lifecycleOf } from 'fastify-ah-kit'
import { startProxy, startRedis, until } from 'fastify-ah-test-support'
import { connected, outcomeOf } from './app.ts'
import { startMutePeer } from './mute-peer.ts'

const redis = await startRedis({}, test)

/** FAULTS 2: after the black hole all works again by itself; a reconnect that was swallowed times out after 5 s first. */
const backMs = 10_000

const kinds = ['our client', 'a client that was handed in'] as const

/** The `redis` option for a client of that kind to the address. */
function optionFor(kind: (typeof kinds)[number], { host, port }: { host: string; port: number }) {
  return kind === 'our client' ? { host, port } : redis.client({ host, port })
}

// Each has a black hole of its own.
describe('silence', { concurrency: true }, () => {
  for (const kind of kinds) {
    test(`[2] a black hole: reads and writes are told apart, not ready meanwhile, then it recovers, with ${kind}`, async (t) => {
      const hole = await startProxy({ target: redis }, t)
      const { connection, app } = await connected(t, { redis: optionFor(kind, hole), deadlineMs: 1000 })
      await until(async () => (await outcomeOf(connection.write('SET', ['before', '1']))) === 'OK')
      hole.swallow()
      const script = [connection.read('GET', ['before']), connection.write('SET', ['swallowed', '1'])]
      assert.deepEqual(await Promise.all(script.map(outcomeOf)), ['AH_KIT_REDIS_TIMEOUT', 'AH_KIT_REDIS_UNCERTAIN'])
      const { ready, failed } = await lifecycleOf(app).readiness()
      assert.equal(ready, false)
      assert.match(failed[0]!.reason, /does not answer within 1000 ms|is not connected/)
      // The dead socket is given up, and the next one is as dead: what comes now waits and never leaves.
      await until(() => connection.client.status !== 'ready')
      assert.equal(await outcomeOf(connection.write('SET', ['waits', '1'])), 'AH_KIT_REDIS_DOWN')
      hole.pass()
      await until(() => connection.isAnswering().then((answer) => answer === true), { deadlineMs: backMs })
      assert.equal(await connection.read('GET', ['before']), '1')
      assert.equal((await lifecycleOf(app).readiness()).ready, true)
    })
  }

  test('[2] with the deadlines as they are, a black hole is told within 5 s, by every kind of client', async (t) => {
    await Promise.all(
      kinds.map(async (kind) => {
        const hole = await startProxy({ target: redis }, t)
        const { connection } = await connected(t, { redis: optionFor(kind, hole) })
        await connection.read('PING', [])
        hole.swallow()
        let outcome: unknown
        connection.read('GET', ['a']).catch((error) => {
          outcome = error.code
        })
        // A look every 50 ms belongs to the deadline.
        await until(() => outcome, { deadlineMs: 5000 + 200 })
        assert.equal(outcome, 'AH_KIT_REDIS_TIMEOUT')
        await until(() => connection.client.status !== 'ready')
        hole.pass()
        await until(() => connection.isAnswering().then((answer) => answer === true), { deadlineMs: backMs })
      }),
    )
  })

  test('[2] a peer that takes connections and says nothing is left, by connections of every role', async (t) => {
    await Promise.all(
      kinds.map(async (kind) => {
        const peer = await startMutePeer(redis, t)
        const { connection } = await connected(t, { redis: optionFor(kind, peer) })
        const blocking = connection.dedicated('blocking')
        const heard: string[] = []
        const subscriber = connection.dedicated('subscriber', (client) => {
          client.on('message', (_channel, text) => void heard.push(text))
          void client.subscribe(`news for ${kind}`)
        })
        const clients = [connection, blocking, subscriber].map(({ client }) => client)
        await until(() => clients.every(({ status }) => status === 'ready'))
        peer.beMute()
        await until(() => peer.muted >= 3)
        peer.speak()
        await until(() => connection.isAnswering().then((answer) => answer === true), { deadlineMs: backMs })
        await connection.write('RPUSH', [`list of ${kind}`, 'x'])
        const pop = blocking.wait('BLPOP', (client) => client.call('blpop', [`list of ${kind}`, 1]), backMs)
        assert.deepEqual(await pop, [`list of ${kind}`, 'x'])
        await until(
          async () => {
            await connection.write('PUBLISH', [`news for ${kind}`, 'x'])
            return heard.length > 0
          },
          { deadlineMs: backMs },
        )
      }),
    )
  })

  test('a client whose own commandTimeout is shorter is believed: the call is over and not sent again', async (t) => {
    const hole = await startProxy({ target: redis }, t)
    const client = redis.client({ host: hole.host, port: hole.port, commandTimeout: 100 })
    const { connection } = await connected(t, { redis: client })
    hole.swallow()
    const calls = [connection.write('RPUSH', ['once', 'x']), connection.read('GET', ['a'])]
    assert.deepEqual(await Promise.all(calls.map(outcomeOf)), ['AH_KIT_REDIS_UNCERTAIN', 'AH_KIT_REDIS_TIMEOUT'])
    hole.pass()
    await until(() => connection.isAnswering().then((answer) => answer === true), { deadlineMs: backMs })
    assert.deepEqual(await redis.command('LRANGE', 'once', 0, -1), ['x'])
  })

  test('a client that gives up for good ends its calls at once', async (t) => {
    const proxy = await startProxy({ target: redis }, t)
    const client = redis.client({ host: proxy.host, port: proxy.port, retryStrategy: () => null })
    const { connection } = await connected(t, { redis: client, deadlineMs: 60_000 })
    proxy.swallow()
    const inFlight = connection.write('SET', ['a', '1'])
    proxy.cut()
    assert.equal(await outcomeOf(inFlight), 'AH_KIT_REDIS_UNCERTAIN')
    assert.equal(await outcomeOf(connection.write('SET', ['a', '1'])), 'AH_KIT_REDIS_DOWN')
    assert.match(String(await connection.isAnswering()), /is not connected$/)
  })
})
