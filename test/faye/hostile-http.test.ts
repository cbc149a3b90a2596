// What no client of faye's would POST: it is answered or refused, and nobody else notices.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { httpGet, startRedis, until } from 'fastify-ah-test-support'
import { ask, connectOf, post, shakeHands } from './bayeux-http.ts'
import { deep, malformed, refused } from './hostile-messages.ts'
import { openFaye } from './open-faye.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `hostile-http-${prefixes}:` }
}

describe('over HTTP', () => {
  test('[24] what is no message is refused, what is a wrong one is answered, and the next one works', async (t) => {
    const { url, app } = await openFaye(redis.url, fresh(), t)
    const heard: unknown[] = []
    await app.pubsub.subscribe('/**', (data) => heard.push(data))
    for (const text of malformed) assert.equal((await post(url, text)).status, 400, text.slice(0, 80))
    for (const [message, error] of refused) {
      const [reply] = await ask(url, message)
      assert.equal(reply!.successful, false, JSON.stringify(message))
      assert.match(reply!.error!, error, JSON.stringify(message))
    }
    assert.deepEqual(heard, [])
    assert.equal(({} as { x?: unknown }).x, undefined)
    assert.equal((await ask(url, { channel: '/a', data: 'fine' }))[0]!.successful, true)
    await until(() => heard.length === 1)
  })

  test('a form is a message too; other methods and bodies that are too long are refused', async (t) => {
    const { url, port } = await openFaye(redis.url, fresh(), t)
    const form = `message=${encodeURIComponent(JSON.stringify({ channel: '/a', data: 1 }))}`
    for (const type of ['application/x-www-form-urlencoded', 'text/plain;charset=UTF-8']) {
      const [reply] = (await (await post(url, form, { 'content-type': type })).json()) as { successful: boolean }[]
      assert.equal(reply!.successful, true)
    }
    assert.equal((await post(url, '{"channel":"/a","data":1}', { 'content-type': 'text/plain' })).status, 400)
    const long = JSON.stringify({ channel: '/a', data: 'x'.repeat(65_536) })
    assert.equal((await post(url, long)).status, 413)
    assert.equal((await httpGet({ port }, { path: '/faye' })).status, 426)
    assert.equal((await httpGet({ port }, { path: '/faye?message=%5B%5D&jsonp=alert' })).status, 426)
    const script = await httpGet({ port }, { path: '/faye/client.js' })
    assert.equal(script.status, 200)
    assert.match(script.body, /Faye/)
  })

  test('data that is too deep to be written is refused alone', async (t) => {
    const { url } = await openFaye(redis.url, { ...fresh(), maxMessageBytes: 1_000_000 }, t)
    const text = `[{"channel":"/a","data":${deep(100_000)}},{"channel":"/b","data":1}]`
    const replies = (await (await post(url, text)).json()) as { channel: string; successful: boolean }[]
    const byChannel = Object.fromEntries(replies.map(({ channel, successful }) => [channel, successful]))
    assert.deepEqual(byChannel, { '/a': false, '/b': true })
  })

  test('polls of a client that asks again and again end, and those of peers that are gone hold nothing', async (t) => {
    const { url, app, port, lines } = await openFaye(redis.url, fresh(), t)
    const clientId = await shakeHands(url)
    await ask(url, { channel: '/meta/subscribe', clientId, subscription: '/a' })
    const polls = Array.from({ length: 20 }, () => ask(url, connectOf(clientId, 20_000)))
    // All but one, whichever came last.
    const done = new Set<number>()
    polls.forEach((poll, index) => void poll.then(() => done.add(index)))
    await until(() => done.size === 19)
    await app.pubsub.publish('/a', 1)
    const answers = await Promise.all(polls)
    assert.deepEqual(
      answers.flat().flatMap(({ data }) => data ?? []),
      [1],
    )
    // One that goes away without its answer: what comes then waits for the next one.
    const body = JSON.stringify(connectOf(clientId, 20_000))
    const before = await connectionsOf(app.server)
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `POST /faye HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    // It has to be there before it can go.
    await until(() => lines.filter((line) => line.includes('incoming request')).length === 23)
    socket.destroy()
    await until(async () => (await connectionsOf(app.server)) <= before)
    await app.pubsub.publish('/a', 2)
    const [, message] = await ask(url, connectOf(clientId, 5_000))
    assert.deepEqual(message, { channel: '/a', data: 2 })
  })
})

test('limits: channels of a client, messages that wait, clients of a process, time away', async (t) => {
  const options = { ...fresh(), maxSubscriptions: 3, maxQueued: 5, maxClients: 2, awayMs: 300 }
  const { url, app } = await openFaye(redis.url, options, t)
  const clientId = await shakeHands(url)
  const subscribe = (subscription: string | string[]) => ({ channel: '/meta/subscribe', clientId, subscription })
  const replies = await ask(url, subscribe(['/a', '/b']), subscribe('/c'), subscribe('/d'), subscribe('/a'))
  const done = replies.map(({ successful }) => successful)
  assert.deepEqual(done, [true, true, false, true])
  assert.equal((await ask(url, subscribe(['/1', '/2', '/3', '/4'])))[0]!.successful, false)
  await shakeHands(url)
  await assert.rejects(shakeHands(url), /500::Internal server error/)
  for (let number = 0; number < 6; number += 1) await app.pubsub.publish('/a', number)
  await until(async () => (await redis.client().exists(`${options.prefix}faye:${clientId}`)) === 0)
  assert.match((await ask(url, connectOf(clientId)))[0]!.error!, /^401:/)
  const another = await shakeHands(url)
  await until(async () => (await redis.client().exists(`${options.prefix}faye:${another}`)) === 0)
  assert.match((await ask(url, connectOf(another)))[0]!.error!, /^401:/)
})

function connectionsOf(server: {
  getConnections(done: (error: Error | null, count: number) => void): void
}): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })
}
