// faye's own client in Node, over each transport, with one process and with two.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { hearing, openClient, openFaye, settled, transports } from './open-faye.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `clients-${prefixes}:` }
}

for (const transport of transports) {
  describe(`over ${transport}`, () => {
    test('clients hear each other and the servers, and servers hear clients', async (t) => {
      const prefix = fresh()
      const [first, second] = [await openFaye(redis.url, prefix, t), await openFaye(redis.url, prefix, t)]
      const [a, b] = [openClient(first.url, transport, t), openClient(second.url, transport, t)]
      const [byA, byB] = [await hearing(a, '/chat/lobby'), await hearing(b, '/chat/lobby')]
      const byServer: unknown[] = []
      await first.app.pubsub.subscribe('/chat/lobby', (data) => byServer.push(data))
      await settled(a.publish('/chat/lobby', { text: 'hello' }))
      await settled(b.publish('/chat/lobby', 2))
      await second.app.pubsub.publish('/chat/lobby', [null, 'ü 🎉'])
      const all = [{ text: 'hello' }, 2, [null, 'ü 🎉']]
      for (const heard of [byA, byB, byServer]) {
        await until(() => heard.length >= 3)
        assert.deepEqual(heard, all)
      }
    })

    test('wildcards mean one segment or any number, and what comes by two of them is one message', async (t) => {
      const { url, app } = await openFaye(redis.url, fresh(), t)
      const client = openClient(url, transport, t)
      const heard: unknown[] = []
      const channels = ['/chat/*', '/chat/**', '/chat/lobby', '/**']
      for (const channel of channels) await settled(client.subscribe(channel, (data) => heard.push([channel, data])))
      const messages: unknown[] = []
      client.addExtension({
        incoming(message, pass) {
          if (message['data'] !== undefined) messages.push(message['data'])
          pass(message)
        },
      })
      for (const channel of ['/chat/lobby', '/chat/rooms/7', '/other', '/end'])
        await app.pubsub.publish(channel, channel)
      await until(() => messages.includes('/end'))
      assert.deepEqual(messages, ['/chat/lobby', '/chat/rooms/7', '/other', '/end'])
    })

    test('one channel or several are left, and nothing comes from them any more', async (t) => {
      const prefix = fresh()
      const { url, app } = await openFaye(redis.url, prefix, t)
      const client = openClient(url, transport, t)
      const heard: unknown[] = []
      const left = client.subscribe('/left', (data) => heard.push(data))
      await settled(left)
      const kept = await hearing(client, '/kept')
      left.cancel()
      await until(async () => (await redis.client().pubsub('NUMSUB', `${prefix.prefix}pubsub:/left`))[1] === 0)
      await app.pubsub.publish('/left', 1)
      await app.pubsub.publish('/kept', 2)
      await until(() => kept.length === 1)
      assert.deepEqual(heard, [])
    })

    test('[28] what one sends in sequence, and what many send at once, comes to all in one order', async (t) => {
      const prefix = fresh()
      const apps = [await openFaye(redis.url, prefix, t), await openFaye(redis.url, prefix, t)]
      const clients = [0, 1, 0, 1].map((index) => openClient(apps[index]!.url, transport, t))
      const lists = await Promise.all(clients.map((client) => hearing<[number, number]>(client, '/order')))
      await Promise.all(
        clients.map(async (client, sender) => {
          for (let number = 0; number < 50; number += 1) await settled(client.publish('/order', [sender, number]))
        }),
      )
      await until(() => lists.every((list) => list.length >= 200))
      for (const list of lists) assert.deepEqual(list, lists[0])
      for (const sender of [0, 1, 2, 3]) {
        const own = lists[0]!.filter(([from]) => from === sender).map(([, number]) => number)
        assert.deepEqual(
          own,
          Array.from({ length: 50 }, (_, number) => number),
        )
      }
    })

    test('a burst that two of its subscriptions mean comes once, however long it is', async (t) => {
      const { app, url } = await openFaye(redis.url, { ...fresh(), maxQueued: 100_000 }, t)
      const client = openClient(url, transport, t)
      const [by, wide] = [await hearing(client, '/burst/a'), await hearing(client, '/burst/*')]
      // One frame of pub/sub, which comes as a whole for the one, then as a whole for the other.
      const numbers = Array.from({ length: 3_000 }, (_, number) => number)
      await Promise.all(numbers.map((number) => app.pubsub.publish('/burst/a', number)))
      await app.pubsub.publish('/burst/a', -1)
      for (const heard of [by, wide]) await until(() => heard.includes(-1), { deadlineMs: 10_000 })
      for (const heard of [by, wide]) assert.deepEqual(heard, [...numbers, -1])
    })

    test('a client that disconnects is forgotten at once', async (t) => {
      const prefix = fresh()
      const { url } = await openFaye(redis.url, prefix, t)
      const client = openClient(url, transport, t)
      await hearing(client, '/chat')
      assert.equal((await redis.client().keys(`${prefix.prefix}faye:*`)).length, 1)
      await settled(client.disconnect()!)
      assert.deepEqual(await redis.client().keys(`${prefix.prefix}faye:*`), [])
    })
  })
}
