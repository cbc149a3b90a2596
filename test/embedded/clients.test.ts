// Owns what clients may rely on beyond single replies: who gets what, in which order, and what happens to those who leave.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { startEmbeddedStore } from 'fastify-ah-embedded'
import { atEnd, scaled, type TestScope, tempDir, until } from 'fastify-ah-test-support'
import type { Redis } from 'ioredis'
import { connect, openStore } from './stores.ts'

test('ioredis takes the url with its own defaults, and nothing else', async (t) => {
  const store = await openStore(t)
  const client = connect(store, t)
  assert.equal(await client.ping(), 'PONG')
  assert.equal(client.options.protocol, 3)
  assert.equal(store.url, store.path)
})

for (const name of ['with space', 'ünï', 'a#b', 'a%41b', '{x}']) {
  test(`ioredis takes the url when the folder is called "${name}"`, async (t) => {
    const directory = join(tempDir(t).path, name)
    mkdirSync(directory)
    const store = await startEmbeddedStore({ directory })
    atEnd(t, () => store.close())
    assert.equal(await connect(store, t).ping(), 'PONG')
  })
}

test('two clients share what they write, and databases are apart', async (t) => {
  const store = await openStore(t)
  const [one, two] = [connect(store, t), connect(store, t)]
  await one.set('k', 'v')
  assert.equal(await two.get('k'), 'v')
  await two.select(1)
  assert.equal(await two.get('k'), null)
})

test('keys end at their time, without anybody looking', async (t) => {
  const client = connect(await openStore(t), t)
  await client.config('SET', 'notify-keyspace-events', 'Ex')
  const listener = client.duplicate()
  atEnd(t, () => listener.disconnect())
  const expired: string[] = []
  listener.on('message', (_channel, key) => expired.push(key))
  await listener.subscribe('__keyevent@0__:expired')
  await client.set('short', 'v', 'PX', 50)
  await client.set('long', 'v', 'PX', 100_000)
  await until(() => expired.length > 0)
  assert.deepEqual(expired, ['short'])
  assert.equal(await client.dbsize(), 1)
})

test('a subscriber hears every message in order, also while it runs scripts itself', async (t) => {
  const store = await openStore(t)
  const [subscriber, publisher] = [connect(store, t), connect(store, t)]
  const heard: string[] = []
  subscriber.on('message', (channel, message) => heard.push(`${channel} ${message}`))
  subscriber.on('pmessage', (pattern, channel, message) => heard.push(`${pattern} ${channel} ${message}`))
  await subscriber.subscribe('news')
  await subscriber.psubscribe('ne?s')
  const expected: string[] = []
  for (let number = 0; number < scaled(2000, 50); number++) {
    expected.push(`news ${number}`, `ne?s news ${number}`)
    const script = subscriber.eval('return ARGV[1]', 0, number)
    assert.equal(await publisher.publish('news', String(number)), 2)
    assert.equal(await script, String(number))
  }
  await until(() => heard.length >= expected.length)
  assert.deepEqual(heard, expected)
})

test('whoever waits for a list is served when another pushes', async (t) => {
  const store = await openStore(t)
  const [waiter, pusher] = [connect(store, t), connect(store, t)]
  const replies = waiter.pipeline().set('waits', 'yes').blpop('queue', 0).exec()
  await until(() => pusher.exists('waits'))
  await pusher.rpush('queue', 'job')
  assert.deepEqual((await replies)?.[1], [null, ['queue', 'job']])
})

for (const [how, leave] of Object.entries<(waiter: Socket, admin: Redis) => unknown>({
  'is cut off': (waiter) => waiter.destroy(),
  'closes its side': (waiter) => waiter.end(),
  'is killed by CLIENT KILL': async (_waiter, admin) =>
    admin.client('KILL', 'ID', (await clientIds(admin)).at(-1) ?? ''),
})) {
  test(`a client that ${how} while it waits for a list takes nothing from it`, async (t) => {
    const store = await openStore(t)
    const admin = connect(store, t)
    await admin.ping()
    const waiter = await rawClient(store.path, t)
    waiter.write('SET waits yes\r\nBLPOP queue 0\r\n')
    await until(() => admin.exists('waits'))
    await leave(waiter, admin)
    await until(async () => (await clientIds(admin)).length === 1)
    await admin.rpush('queue', 'job')
    assert.deepEqual(await admin.lrange('queue', 0, -1), ['job'])
  })
}

test('what a client sent before it closed its side is done and answered', async (t) => {
  const store = await openStore(t)
  const client = await rawClient(store.path, t)
  const chunks: Buffer[] = []
  client.on('data', (chunk) => chunks.push(chunk))
  client.end(`${'SET k v\r\n'.repeat(1000)}GET k\r\n`)
  await once(client, 'close')
  assert.equal(Buffer.concat(chunks).toString(), `${'+OK\r\n'.repeat(1000)}$1\r\nv\r\n`)
})

test('thousands of commands in one go are answered in their order', async (t) => {
  const client = connect(await openStore(t), t)
  const count = scaled(100_000, 5000)
  const replies = await Promise.all(Array.from({ length: count }, () => client.incr('n')))
  assert.deepEqual(
    replies,
    Array.from({ length: count }, (_, index) => index + 1),
  )
})

test('a value of a megabyte comes back as it went in', async (t) => {
  const client = connect(await openStore(t), t)
  const value = Buffer.alloc(1 << 20, Buffer.from(Array.from({ length: 251 }, (_, byte) => byte)))
  await client.set('k', value)
  assert.ok(value.equals((await client.getBuffer('k')) ?? Buffer.alloc(0)))
})

test('a client that stops reading gets all of it later, and others do not wait for it', async (t) => {
  const store = await openStore(t)
  const other = connect(store, t)
  await other.set('k', 'x'.repeat(100_000))
  const slow = await rawClient(store.path, t)
  slow.pause()
  slow.write('GET k\r\n'.repeat(100))
  await until(async () => (await other.get('k'))?.length === 100_000)
  let received = 0
  slow.on('data', (chunk) => {
    received += chunk.length
  })
  slow.resume()
  await until(() => received === 100 * (100_000 + '$100000\r\n\r\n'.length))
})

async function rawClient(path: string, scope: TestScope): Promise<Socket> {
  const socket = connectSocket(path)
  atEnd(scope, () => socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function clientIds(admin: Redis): Promise<string[]> {
  return Array.from(String(await admin.client('LIST')).matchAll(/^id=(\d+)/gm), ([, id]) => id ?? '')
}
