// Redis away, silent, or without an answer: clients stay who they are, and everything goes on when it is back.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { scaled, startProxy, startRedis, until } from 'fastify-ah-test-support'
import type { Client } from 'faye'
import { ask, connectOf, shakeHands } from './bayeux-http.ts'
import { hearing, openClient, openFaye, settled, transports } from './open-faye.ts'

/** FAULTS 1: all works again within 5 s of Redis being ready. */
const backMs = 5_000

/** How often a client began anew since. */
function handshakesOf(client: Client): () => number {
  let count = 0
  client.addExtension({
    outgoing(message, pass) {
      if (message['channel'] === '/meta/handshake') count += 1
      pass(message)
    },
  })
  return () => count
}

describe('outages', { concurrency: true }, () => {
  for (const transport of transports) {
    test(`[1] [11b] Redis stopped for longer than every lease, over ${transport}: nobody begins anew, all go on`, async (t) => {
      const redis = await startRedis({ appendfsyncAlways: true }, t)
      const options = { awayMs: 1_000, timeoutMs: 6_000 }
      const [a, b] = [await openFaye(redis.url, options, t), await openFaye(redis.url, options, t)]
      const clients = [a, a, b].map(({ url }) => openClient(url, transport, t))
      const lists = await Promise.all(clients.map((client) => hearing(client, '/a')))
      const counts = clients.map(handshakesOf)
      for (const [index, ms] of [1_000, 5_000, 30_000].entries()) {
        await redis.stop()
        await assert.rejects(settled(clients[0]!.publish('/a', 'never')), { code: 407 })
        // How long it lasts is the subject: records last for 2 s, scaled outages of 30 s just as long.
        await sleep(scaled(ms) + (index === 2 ? 1_500 : 0))
        await redis.restart()
        await untilBack(clients[1]!, lists, `back ${index}`)
      }
      assert.deepEqual(
        counts.map((count) => count()),
        [0, 0, 0],
      )
      // They are known elsewhere, too.
      const later = await Promise.all(clients.map((client) => hearing(client, '/later')))
      await settled(clients[0]!.publish('/later', 1))
      await until(() => later.every((list) => list.length === 1))
      assert.ok(!lists[0]!.includes('never'))
    })
  }

  test('[2] a black hole: what is asked is answered within 5 s, and works when it is over', async (t) => {
    const redis = await startRedis({}, t)
    const proxy = await startProxy({ target: redis }, t)
    const { url } = await openFaye(proxy.url, {}, t)
    const client = openClient(url, 'websocket', t)
    const heard = await hearing(client, '/a')
    const count = handshakesOf(client)
    const [known, strange] = [await shakeHands(url), 'f'.repeat(40)]
    proxy.swallow()
    const startedAt = performance.now()
    const answers = await Promise.all([
      ask(url, { channel: '/a', data: 1 }),
      ask(url, { channel: '/meta/subscribe', clientId: known, subscription: '/b' }),
      ask(url, connectOf(strange)),
      ask(url, { channel: '/meta/disconnect', clientId: strange }),
    ])
    assert.ok(performance.now() - startedAt < 11_000, 'the subscription, and then its note')
    for (const [reply] of answers) assert.match(reply!.error!, /^(407|500):/)
    assert.deepEqual(answers[2]![0]!.advice, { reconnect: 'retry', interval: 1_000, timeout: 0 })
    proxy.pass()
    await untilBack(client, [heard], 'back')
    assert.equal(count(), 0)
  })

  test('[3] connections killed again and again: what is heard comes in order and once, and all is heard after it', async (t) => {
    const redis = await startRedis({}, t)
    const apps = [await openFaye(redis.url, {}, t), await openFaye(redis.url, {}, t)]
    const clients = transports.flatMap((transport) => apps.map(({ url }) => openClient(url, transport, t)))
    const lists = await Promise.all(clients.map((client) => hearing<number>(client, '/numbers')))
    let isOver = false
    let number = 0
    const publishing = (async () => {
      while (!isOver) {
        await apps[0]!.app.pubsub.publish('/numbers', number).catch(() => undefined)
        number += 1
      }
    })()
    for (let kill = 0; kill < scaled(30, 5); kill += 1) {
      const heard = lists.map((list) => list.length)
      await redis.command('CLIENT', 'KILL', 'TYPE', kill % 2 === 0 ? 'normal' : 'pubsub')
      await until(() => lists.every((list, index) => list.length > heard[index]! + 20))
    }
    isOver = true
    await publishing
    await settled(clients[0]!.publish('/numbers', -1))
    await until(() => lists.every((list) => list.at(-1) === -1))
    for (const list of lists) {
      const numbers = list.slice(0, -1)
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].sort((one, other) => one - other),
      )
    }
  })
})

test('[11a] an answer that is cut off, of each script in turn: done once, and the client goes on', async (t) => {
  const redis = await startRedis({}, t)
  const proxy = await startProxy({ target: redis }, t)
  const near = await openFaye(redis.url, {}, t)
  const far = await openFaye(proxy.url, {}, t)
  const isScript = (_: unknown, [name]: readonly string[]) => /^eval/i.test(name ?? '')
  const cut = async <T>(what: () => Promise<T>): Promise<T> => {
    const isCut = proxy.cutAnswers({ after: isScript })
    const answer = await what()
    assert.equal(await isCut, 1)
    return answer
  }
  const subscribe = (clientId: string, subscription: string) => ({ channel: '/meta/subscribe', clientId, subscription })

  const clientId = await cut(() => shakeHands(far.url))
  const [subscribed] = await cut(() => ask(far.url, subscribe(clientId, '/a')))
  assert.equal(subscribed!.successful, true)
  assert.deepEqual(await redis.client().hgetall(`actionhero:faye:${clientId}`), {
    keeper: far.app.pubsub.id,
    epoch: '1',
    'c:/a': '1',
  })
  await near.app.pubsub.publish('/a', 'one')
  const [, one] = await ask(near.url, connectOf(clientId, 1_000))
  assert.deepEqual(one, { channel: '/a', data: 'one' })
  await near.app.pubsub.publish('/a', 'two')
  // The claim, whose answer is lost: it is this process' all the same.
  const [, two] = await cut(() => ask(far.url, connectOf(clientId, 1_000)))
  assert.deepEqual(two, { channel: '/a', data: 'two' })
  assert.equal(await redis.client().hget(`actionhero:faye:${clientId}`, 'epoch'), '3')
  const [gone] = await cut(() => ask(far.url, { channel: '/meta/disconnect', clientId }))
  assert.equal(gone!.successful, true)
  assert.equal(await redis.client().exists(`actionhero:faye:${clientId}`), 0)
})

test('[7] each command that records take is forbidden in turn: an error for who asks, and the rest goes on', async (t) => {
  const redis = await startRedis({}, t)
  for (const denied of ['hset', 'hgetall', 'exists', 'pexpire', 'evalsha', 'del']) {
    const url = await redis.denyCommand(denied)
    const options = { prefix: `without-${denied}:`, awayMs: 400 }
    const own = await openFaye(redis.url, options, t)
    const poor = await openFaye(redis.url, { ...options, redis: url }, t)
    const clientId = await shakeHands(own.url)
    await ask(own.url, { channel: '/meta/subscribe', clientId, subscription: '/a' })
    const [reply] = await ask(poor.url, connectOf(clientId))
    if (reply!.successful === false) assert.match(reply!.error!, /^(500|401):/)
    await ask(poor.url, { channel: '/a', data: 1, clientId })
    await redis.command('ACL', 'SETUSER', new URL(url).username, '+@all')
    const clients = [1, 2].map(() => openClient(poor.url, 'websocket', t))
    const lists = await Promise.all(clients.map((client) => hearing(client, '/a')))
    // Longer than a record would last if it were not renewed.
    await sleep(1_000)
    await settled(clients[0]!.publish('/a', denied))
    await until(() => lists.every((list) => list.includes(denied)))
  }
})

test('[8] apps with different prefixes on one Redis never hear each other', async (t) => {
  const redis = await startRedis({}, t)
  const apps = [await openFaye(redis.url, { prefix: 'one:' }, t), await openFaye(redis.url, { prefix: 'two:' }, t)]
  const ids = await Promise.all(apps.map(({ url }) => shakeHands(url)))
  for (const [index, { url }] of apps.entries()) {
    await ask(url, { channel: '/meta/subscribe', clientId: ids[index], subscription: ['/**', '/a'] })
    assert.match((await ask(url, connectOf(ids[1 - index]!)))[0]!.error!, /^401:/)
  }
  for (const [index, { url }] of apps.entries()) await ask(url, { channel: '/a', data: index })
  for (const [index, { url }] of apps.entries()) {
    const [, ...messages] = await ask(url, connectOf(ids[index]!, 500))
    assert.deepEqual(messages, [{ channel: '/a', data: index }])
  }
})

/** Says it again and again, since who publishes may be back before who hears, until all have heard it. */
async function untilBack(client: Client, lists: readonly unknown[][], word: string): Promise<void> {
  const isHeard = async (): Promise<boolean> => {
    await settled(client.publish('/a', word)).catch(({ code }: { code: number }) => assert.equal(code, 407))
    return lists.every((list) => list.includes(word))
  }
  // The last publication before Redis is back may take 5 s to fail.
  await until(isHeard, { deadlineMs: backMs + 5_000 })
}
