// The end of an app: what is under way is answered, nobody is waited for too long.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { lifecycleOf } from 'fastify-ah-kit'
import { atEnd, startRedis, until } from 'fastify-ah-test-support'
import { ask, connectOf, shakeHands } from './bayeux-http.ts'
import { openSocket } from './bayeux-socket.ts'
import { openFaye } from './open-faye.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `close-${prefixes}:` }
}

test('what was read is answered and published once, then websockets are closed with 1012 and polls answered', async (t) => {
  const publish = new Map<unknown, () => void>()
  const authorize = {
    publish: ({ data }: { data: unknown }) =>
      new Promise<boolean>((resolve) => void publish.set(data, () => resolve(true))),
  }
  const { url, app } = await openFaye(redis.url, { ...fresh(), authorize }, t)
  const heard: unknown[] = []
  await app.pubsub.subscribe('/a', (data) => heard.push(data))
  const raw = await openSocket(url, t)
  raw.send({ channel: '/a', data: 'under way' })
  await until(() => publish.has('under way'))
  const clientId = await shakeHands(url)
  const poll = ask(url, connectOf(clientId, 40_000))
  // The connect has to be held: it comes behind the unsubscription.
  await ask(url, { channel: '/meta/unsubscribe', clientId, subscription: '/nothing' })
  const drained = lifecycleOf(app).drain()
  assert.equal((await poll)[0]!.successful, true)
  raw.send({ channel: '/a', data: 'too late' })
  assert.equal(raw.closedBy(), undefined)
  publish.get('under way')!()
  assert.equal((await raw.next())[0]!.successful, true)
  await until(() => raw.closedBy() === 1012)
  await drained
  assert.deepEqual(heard, ['under way'])
  assert.equal(publish.has('too late'), false)
})

test('[53] a peer that answers nothing any more is gone within the time of the drain', async (t) => {
  const { port, app } = await openFaye(redis.url, fresh(), t)
  const mute = connect(port, '127.0.0.1')
  atEnd(t, () => mute.destroy())
  mute.write(
    'GET /faye HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await new Promise((resolve) => mute.once('data', resolve))
  mute.pause()
  const startedAt = performance.now()
  await app.close()
  assert.ok(performance.now() - startedAt < 8_000)
})

for (const how of ['stopped', 'silent'] as const) {
  test(`[1] [2] with Redis ${how} the close ends in time`, async (t) => {
    const own = await startRedis({}, t)
    const { url, app, lines } = await openFaye(own.url, {}, t)
    const clientId = await shakeHands(url)
    await ask(url, { channel: '/meta/subscribe', clientId, subscription: '/a' })
    const raw = await openSocket(url, t)
    if (how === 'stopped') await own.stop()
    else own.pause()
    atEnd(t, () => own.resume())
    const startedAt = performance.now()
    await app.close()
    await app.close()
    // 2 s for the list of nodes, 2 s for what waits, the rest for pub/sub and the connections.
    assert.ok(performance.now() - startedAt < 14_000, `${performance.now() - startedAt} ms`)
    assert.equal(raw.closedBy(), 1012)
    assert.ok(lines.some((line) => line.includes('could not be left in Redis')))
    own.resume()
  })
}
