// Connections of one's own, for commands that block and for subscriptions.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DedicatedConnection, RedisClient } from 'fastify-ah-kit/redis'
import { type RedisServer, startProxy, startRedis, until } from 'fastify-ah-test-support'
import type { Redis } from 'ioredis'
import { connected, outcomeOf } from './app.ts'

const redis = await startRedis({ appendfsyncAlways: true }, test)

/** Clients of the server that wait in a command at this moment. */
async function blockedClients(server: RedisServer = redis): Promise<number> {
  return Number(/^blocked_clients:(\d+)/m.exec(String(await server.command('INFO', 'clients')))?.[1])
}

/** BLPOP for `seconds` (0: for ever), given up after `withinMs`. */
function pop(dedicated: DedicatedConnection, list: string, withinMs: number, seconds = 0): Promise<unknown> {
  return dedicated.wait('BLPOP', (client) => client.call('blpop', [list, seconds]), withinMs)
}

async function isReady({ client }: DedicatedConnection): Promise<boolean> {
  return client.status === 'ready'
}

const elements = (list: string) => redis.command('LRANGE', list, 0, -1)
const kinds = ['our client', 'a client that was handed in'] as const

/** Requests through one client; with one that was handed in, its options are the worst for blocking. */
function optionFor(kind: (typeof kinds)[number], { host, port }: { host: string; port: number }) {
  if (kind === 'our client') return { host, port, commandTimeout: 100, blockingTimeout: 100, socketTimeout: 100 }
  return redis.client({
    ...{ host, port, commandTimeout: 100, blockingTimeout: 100, socketTimeout: 100 },
    ...{ retryStrategy: () => null, enableOfflineQueue: false, maxRetriesPerRequest: 0 },
  })
}

for (const kind of kinds) {
  test(`what blocks waits as long as it wants, whatever deadlines requests have, with ${kind}`, async (t) => {
    const { connection } = await connected(t, { redis: optionFor(kind, redis) })
    const dedicated = connection.dedicated('blocking')
    assert.equal(await pop(dedicated, 'nothing', 5000, 0.5), null)
    const waiting = pop(dedicated, 'something', 5000)
    await until(async () => (await blockedClients()) === 1)
    await redis.command('RPUSH', 'something', 'x')
    assert.deepEqual(await waiting, ['something', 'x'])
  })

  test(`a silent BLPOP is given up, the server's end too, and eats nothing, with ${kind}`, async (t) => {
    const proxy = await startProxy({ target: redis }, t)
    const { connection, lines } = await connected(t, { redis: optionFor(kind, proxy) })
    const clients: RedisClient[] = []
    const dedicated = connection.dedicated('blocking', (client) => clients.push(client))
    await until(() => isReady(dedicated))
    const old = dedicated.client
    const silent = pop(dedicated, 'eaten', 300)
    await until(async () => (await blockedClients()) === 1)
    proxy.swallow()
    assert.equal(await outcomeOf(silent), 'AH_KIT_REDIS_TIMEOUT')
    assert.notEqual(dedicated.client, old)
    assert.deepEqual(clients, [old, dedicated.client])
    proxy.pass()
    await until(async () => (await blockedClients()) === 0)
    await redis.command('RPUSH', 'eaten', 'x')
    assert.deepEqual(await elements('eaten'), ['x'])
    assert.deepEqual(await pop(dedicated, 'eaten', 5000), ['eaten', 'x'])
    await until(() => old.status === 'end')
    assert.ok(lines().some(({ msg, level }) => msg === 'a connection to Redis is replaced' && level === 40))
  })

  test(`while Redis is away nothing is sent, so nothing is eaten later, with ${kind}`, async (t) => {
    const server = await startRedis({}, t)
    const { connection } = await connected(t, { redis: optionFor(kind, server) })
    const dedicated = connection.dedicated('blocking')
    await until(() => isReady(dedicated))
    // Already out when Redis goes: ioredis would send it again.
    const out = outcomeOf(pop(dedicated, 'kept', 300))
    await until(async () => (await blockedClients(server)) === 1)
    await server.stop()
    assert.equal(await out, 'AH_KIT_REDIS_TIMEOUT')
    for (let round = 0; round < 3; round++)
      assert.equal(await outcomeOf(pop(dedicated, 'kept', 50)), 'AH_KIT_REDIS_DOWN')
    const waiting = pop(dedicated, 'wanted', 5000)
    await server.restart()
    await until(async () => (await blockedClients(server)) === 1)
    await server.command('RPUSH', 'kept', 'x')
    await server.command('RPUSH', 'wanted', 'y')
    assert.deepEqual(await waiting, ['wanted', 'y'])
    assert.deepEqual(await server.command('LRANGE', 'kept', 0, -1), ['x'])
  })

  test(`a subscriber hears on after every cut, and its silence is no error, with ${kind}`, async (t) => {
    const proxy = await startProxy({ target: redis }, t)
    const { connection } = await connected(t, { redis: optionFor(kind, proxy) })
    const heard: string[] = []
    const dedicated = connection.dedicated('subscriber', (client) => {
      client.on('message', (_channel, text) => void heard.push(text))
      void client.subscribe('news')
    })
    for (let cut = 0; cut < 3; cut++) {
      await until(async () => Number(await redis.command('PUBLISH', 'news', `after cut ${cut}`)) > 0)
      await until(() => heard.includes(`after cut ${cut}`))
      proxy.cut()
      await until(async () => Number(((await redis.command('PUBSUB', 'NUMSUB', 'news')) as unknown[])[1]) === 0)
    }
    const old = dedicated.client
    dedicated.replace(old, new Error('deaf, says the probe'))
    dedicated.replace(old, new Error('said twice'))
    assert.notEqual(dedicated.client, old)
    await until(async () => Number(await redis.command('PUBLISH', 'news', 'after the replacement')) === 1)
    await until(() => heard.includes('after the replacement'))
  })
}

test('a silent server, stopped and continued, does not give an element to a connection that was given up', async (t) => {
  const server = await startRedis({}, t)
  const { connection } = await connected(t, { redis: server.url })
  const dedicated = connection.dedicated('blocking')
  await until(() => isReady(dedicated))
  const silent = pop(dedicated, 'frozen', 300)
  await until(async () => (await blockedClients(server)) === 1)
  server.pause()
  assert.equal(await outcomeOf(silent), 'AH_KIT_REDIS_TIMEOUT')
  server.resume()
  await until(async () => (await blockedClients(server)) === 0)
  await server.command('RPUSH', 'frozen', 'x')
  assert.deepEqual(await pop(dedicated, 'frozen', 5000), ['frozen', 'x'])
})

test('what Redis refuses is told, and the connection stays', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  const dedicated = connection.dedicated('blocking')
  await redis.command('SET', 'a text', 'x')
  const { client } = dedicated
  await assert.rejects(pop(dedicated, 'a text', 5000), {
    code: 'AH_KIT_REDIS_REFUSED',
    message: /^Redis refused "BLPOP": WRONGTYPE/,
  })
  assert.equal(dedicated.client, client)
})

test('close ends a command that is blocked, on the server too, and what waits for Redis', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  const blocked = connection.dedicated('blocking')
  const waiting = pop(blocked, 'left', 60_000)
  await until(async () => (await blockedClients()) === 1)
  const ended = outcomeOf(waiting)
  await Promise.all([blocked.close(), blocked.close()])
  assert.equal(await ended, 'AH_KIT_REDIS_UNCERTAIN')
  await until(async () => (await blockedClients()) === 0)
  await redis.command('RPUSH', 'left', 'x')
  assert.deepEqual(await elements('left'), ['x'])
  assert.equal(await outcomeOf(pop(blocked, 'left', 1000)), 'AH_KIT_REDIS_DOWN')
  await blocked.close()
})

test('close ends at once also those who wait for a Redis that is away', async (t) => {
  const server = await startRedis({}, t)
  const { connection } = await connected(t, { redis: server.url })
  const dedicated = connection.dedicated('blocking')
  await until(() => isReady(dedicated))
  await server.stop()
  await until(() => dedicated.client.status !== 'ready')
  const waiting = outcomeOf(pop(dedicated, 'list', 60_000))
  await dedicated.close()
  assert.equal(await waiting, 'AH_KIT_REDIS_DOWN')
})

test('the connection that opened them closes them, and keeps none that was closed before', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  const base = await connectedClients(t)
  const dedicated = [
    connection.dedicated('blocking'),
    connection.dedicated('subscriber'),
    connection.dedicated('blocking'),
  ]
  await Promise.all(dedicated.map((each) => until(() => isReady(each))))
  assert.deepEqual([...connection.dedicatedConnections], dedicated)
  await dedicated[0]!.close()
  assert.deepEqual([...connection.dedicatedConnections], dedicated.slice(1))
  await connection.close()
  assert.equal(connection.dedicatedConnections.size, 0)
  await until(async () => (await connectedClients(t)) === base - 1)
})

test('replacing again and again leaves no connection behind', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  const base = await connectedClients(t)
  const dedicated = connection.dedicated('blocking')
  for (let round = 0; round < 20; round++) {
    await until(() => isReady(dedicated))
    dedicated.replace(dedicated.client, new Error('just so'))
  }
  await until(() => isReady(dedicated))
  await until(async () => (await connectedClients(t)) === base + 1)
})

const counters = new WeakMap<TestContext, Redis>()

/** Connections to the server, without the one that counts. */
async function connectedClients(t: TestContext): Promise<number> {
  const counter = counters.get(t) ?? redis.client()
  counters.set(t, counter)
  const list = String(await counter.call('client', ['list']))
  return list.trim().split('\n').length - 1
}
