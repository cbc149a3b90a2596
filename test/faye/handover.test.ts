// One client, several processes: polls that land anywhere, processes that end, in order and killed.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KeySpace } from 'fastify-ah-kit/redis'
import { scaled, startRedis, startRedisCluster, until } from 'fastify-ah-test-support'
import type { Client } from 'faye'
import { balance, publishing } from './balance.ts'
import { ask, connectOf, shakeHands } from './bayeux-http.ts'
import { handshakesOf, hearing, openClient, openFaye, settled, transports } from './open-faye.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `handover-${prefixes}:` }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

async function idOf(client: Client): Promise<string> {
  const { clientId } = await new Promise<{ clientId: string }>((resolve) => {
    client.addExtension({
      outgoing(message, pass) {
        if (typeof message['clientId'] === 'string') resolve(message as { clientId: string })
        pass(message)
      },
    })
  })
  return clientId
}

for (const transport of transports) {
  describe(`over ${transport}`, () => {
    test('two processes without stickiness: all is heard, once, in order', async (t) => {
      const prefix = fresh()
      const apps = [await openFaye(redis.url, prefix, t), await openFaye(redis.url, prefix, t)]
      const nginx = await balance(apps, t)
      const clients = [1, 2, 3].map(() => openClient(`${nginx.url}/faye`, transport, t))
      const lists = await Promise.all(clients.map((client) => hearing<number>(client, '/numbers')))
      const stops = apps.map((app, index) => publishing(app, index === 0 ? '/numbers' : '/others'))
      await until(() => lists.every((list) => list.length > scaled(2_000, 300)), { deadlineMs: 30_000 })
      const [count] = await Promise.all(stops.map((stop) => stop()))
      await until(() => lists.every((list) => list.length >= count!))
      for (const list of lists) assert.deepEqual(list, upTo(count!))
      // What clients ask lands anywhere too.
      for (const client of clients) {
        const heard = await hearing(client, '/later')
        await settled(client.publish('/later', 'x'))
        await until(() => heard.length > 0)
        assert.deepEqual(heard.slice(0, 1), ['x'])
      }
    })

    test('a process that drains hands its clients over: nothing is lost or doubled, nobody begins anew', async (t) => {
      const prefix = fresh()
      const [a, b] = [await openFaye(redis.url, prefix, t), await openFaye(redis.url, prefix, t)]
      const nginx = await balance([a, b], t)
      const clients = [1, 2, 3, 4].map(() => openClient(`${nginx.url}/faye`, transport, t))
      const handshakes = handshakesOf(clients)
      const lists = await Promise.all(clients.map((client) => hearing<number>(client, '/numbers')))
      const stop = publishing(b, '/numbers')
      await until(() => lists.every((list) => list.length > 50))
      await a.app.close()
      const then = lists[0]!.length
      await until(() => lists.every((list) => list.length > then + 50))
      const count = await stop()
      await until(() => lists.every((list) => list.length >= count))
      for (const list of lists) assert.deepEqual(list, upTo(count))
      assert.equal(handshakes(), 4)
    })

    test(`a client that is away while its process ends finds what waited for it, ${transport === 'websocket' ? 'in Redis' : 'in another process'}`, async (t) => {
      const prefix = fresh()
      const first = await openFaye(redis.url, prefix, t)
      const clientId = await shakeHands(first.url)
      const [subscribed] = await ask(first.url, { channel: '/meta/subscribe', clientId, subscription: '/news' })
      assert.equal(subscribed!.successful, true)
      for (const number of upTo(600)) await first.app.pubsub.publish('/news', `${number} ${'x'.repeat(1_000)}`)
      const second = transport === 'websocket' ? undefined : await openFaye(redis.url, prefix, t)
      await first.app.close()
      const next = second ?? (await openFaye(redis.url, prefix, t))
      await next.app.pubsub.publish('/news', 'last')
      const [connected, ...messages] = await ask(next.url, connectOf(clientId))
      assert.equal(connected!.successful, true, connected!.error)
      const heard = messages.map(({ data }) => String(data).split(' ')[0])
      // With another process the client went there, and heard on; else it was left in Redis, and nobody was there to hear.
      assert.deepEqual(heard, [...upTo(600).map(String), ...(second === undefined ? [] : ['last'])])
      const again = await ask(next.url, connectOf(clientId))
      assert.equal(again.length, 1, 'once')
    })

    test('the process that kept a client is gone without a word: the client goes on elsewhere', async (t) => {
      const prefix = fresh()
      const [a, b] = [await openFaye(redis.url, prefix, t), await openFaye(redis.url, prefix, t)]
      const clients = [1, 2].map(() => openClient(a.url, transport, t))
      const ids = Promise.all(clients.map(idOf))
      await Promise.all(clients.map((client) => hearing<number>(client, '/numbers')))
      const node = a.app.pubsub.id
      for (const clientId of await ids) {
        assert.equal(await redis.client().hget(`${prefix.prefix}faye:${clientId}`, 'keeper'), node)
        // What a dead process leaves: a record that names it.
        await redis.client().hset(`${prefix.prefix}faye:${clientId}`, 'keeper', 'a node that died')
        const [connected] = await ask(b.url, connectOf(clientId))
        assert.equal(connected!.successful, true)
        assert.equal(await redis.client().hget(`${prefix.prefix}faye:${clientId}`, 'keeper'), b.app.pubsub.id)
      }
    })
  })
}

for (const store of ['one server', 'a Redis Cluster'] as const) {
  test(`many requests of one client at once, in three processes on ${store}: it is kept by one, and hears all once`, async (t) => {
    const prefix = fresh()
    const cluster = store === 'one server' ? undefined : await startRedisCluster({}, t)
    const nodes = cluster?.nodes.map(({ host, port }) => ({ host, port })) ?? []
    const apps = await Promise.all([1, 2, 3].map(() => openFaye(cluster ? { cluster: nodes } : redis.url, prefix, t)))
    const clientId = await shakeHands(apps[0]!.url)
    await ask(apps[1]!.url, { channel: '/meta/subscribe', clientId, subscription: ['/numbers', '/n/*'] })
    const heard: number[] = []
    const stop = publishing(apps[0]!, '/numbers')
    for (let round = 0; round < scaled(200, 25); round += 1) {
      const answers = await Promise.all(apps.map(({ url }) => ask(url, connectOf(clientId, 5))))
      // They come at the same time, so which of them is first is nobody's to say.
      const numbers = answers.flatMap(([connected, ...messages]) => {
        assert.equal(connected!.successful, true, connected!.error)
        return messages.map(({ data }) => data as number)
      })
      heard.push(...numbers.sort((a, b) => a - b))
    }
    const count = await stop()
    for (let last = -1; last !== heard.length; ) {
      last = heard.length
      const [, ...messages] = await ask(apps[2]!.url, connectOf(clientId, 50))
      heard.push(...messages.map(({ data }) => data as number))
    }
    assert.deepEqual(heard, upTo(count))
    const space = new KeySpace({ prefix: prefix.prefix, isTagged: cluster !== undefined })
    const epoch = await (cluster?.client() ?? redis.client()).hget(space.key('faye', clientId), 'epoch')
    assert.ok(Number(epoch) > 20, `kept by ${epoch} in turn`)
  })
}
