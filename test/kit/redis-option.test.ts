// Every form of the `redis` option, who owns what, and who shares it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastifyRedis from '@fastify/redis'
import type { FastifyInstance } from 'fastify'
import {
  type ConnectionRequest,
  type RedisConnection,
  type RedisOption,
  redisFor,
  redisRegistryOf,
} from 'fastify-ah-kit/redis'
import { startRedis, type TestScope } from 'fastify-ah-test-support'
import type { Cluster, Redis } from 'ioredis'
import { loggedApp } from './app.ts'

const redis = await startRedis({ unixSocket: true }, test)
const secured = await startRedis({ password: 'p@ss/w:rd?' }, test)
const encrypted = await startRedis({ tls: true }, test)
const { host, port, url } = redis

let keys = 0

/** Asserts that the connection leads to the server. */
async function assertReaches(connection: RedisConnection, server = redis): Promise<void> {
  keys += 1
  await connection.write('SET', [`reached-${keys}`, 'yes'])
  assert.equal(await server.command('GET', `reached-${keys}`), 'yes')
}

/** Sets variables for one test. */
function setEnvironment(scope: TestScope, variables: Record<string, string>): void {
  Object.assign(process.env, variables)
  scope.after(() => {
    for (const name of Object.keys(variables)) delete process.env[name]
  })
}

function listenerCounts(client: Redis | Cluster): Record<string, number> {
  return Object.fromEntries(client.eventNames().map((name) => [String(name), client.listenerCount(name)]))
}

function connect(app: FastifyInstance, redis?: unknown, more: Partial<ConnectionRequest> = {}) {
  return redisFor(app, { owner: 'test', redis: redis as RedisOption | undefined, ...more })
}

test('a URL, a socket path and ioredis options lead to their server, with our client', async (t) => {
  const forms = [url, `${url}/0`, `REDIS://${host}:${port}`, redis.socketPath, `${redis.socketPath}?db=0`]
  for (const form of [
    ...forms,
    { host, port },
    { path: redis.socketPath },
    Object.assign(Object.create(null), { port }),
  ]) {
    const { app } = loggedApp(t)
    const connection = await connect(app, form)
    assert.equal(connection.target.isOwned, true)
    await assertReaches(connection)
    await app.close()
    assert.equal(connection.client.status, 'end')
  }
})

test('the database, user and password of a URL are used, percent-encoded or not', async (t) => {
  const { app } = loggedApp(t)
  await assertReaches(await connect(app, secured.url), secured)
  await assertReaches(await connect(app, { port: secured.port, password: 'p@ss/w:rd?' }), secured)
  await secured.command('ACL', 'SETUSER', 'ann', 'on', '>an other', '~*', '+@all')
  const named = await connect(app, `redis://ann:an%20other@${host}:${secured.port}`)
  assert.equal(await named.read('ACL', ['WHOAMI']), 'ann')
  const other = await connect(app, `${url}/3`)
  await other.write('SET', ['in database 3', 'x'])
  assert.equal(await redis.command('EXISTS', 'in database 3'), 0)
  const third = await connect(app, { host, port, db: 3 })
  assert.equal(third, other)
})

test('TLS is verified: with the authority it connects', async (t) => {
  const { app } = loggedApp(t)
  const options = { host: encrypted.host, port: encrypted.port, tls: { ca: encrypted.ca! } }
  const connection = await connect(app, options)
  await assertReaches(connection, encrypted)
  assert.equal(connection.target.label, `rediss://${host}:${encrypted.port}/0`)
})

test('a client that was handed in is used, keeps its listeners, and is never closed', async (t) => {
  for (const lazyConnect of [false, true]) {
    const { app } = loggedApp(t)
    const client = redis.client({ lazyConnect })
    const before = listenerCounts(client)
    const connection = await connect(app, client)
    assert.equal(connection.client, client)
    assert.equal(connection.target.isOwned, false)
    await assertReaches(connection)
    await app.ready()
    await app.close()
    await connection.close()
    assert.equal(client.status, 'ready')
    assert.equal(await client.ping(), 'PONG')
    assert.deepEqual(listenerCounts(client), before)
    await assert.rejects(connection.read('PING', []), { code: 'AH_KIT_REDIS_DOWN' })
  }
})

test('`app.redis` is used where it is there, also if only the scope that asks has it', async (t) => {
  const { app } = loggedApp(t)
  const client = redis.client()
  await app.register(fastifyRedis, { client })
  assert.equal((await connect(app)).client, client)
  const { app: scoped } = loggedApp(t)
  const inner = redis.client()
  await scoped.register(async (child) => {
    await child.register(fastifyRedis, { client: inner })
    assert.equal((await connect(child)).client, inner)
  })
  await scoped.ready()
  assert.equal(scoped.hasDecorator('redis'), false)
})

test('a namespace of @fastify/redis is used', async (t) => {
  const { app } = loggedApp(t)
  const client = redis.client()
  await app.register(fastifyRedis, { client, namespace: 'shop' })
  assert.equal((await connect(app, { namespace: 'shop' })).client, client)
  const { app: scoped } = loggedApp(t)
  await scoped.register(async (child) => {
    await child.register(fastifyRedis, { client, namespace: 'shop' })
    assert.equal((await connect(child, { namespace: 'shop' })).client, client)
  })
  await scoped.ready()
  for (const namespace of ['other', 'constructor', '__proto__', '']) {
    await assert.rejects(connect(app, { namespace }), {
      code: 'AH_KIT_REDIS_OPTION',
      message: `option "redis.namespace": there is no @fastify/redis client named ${JSON.stringify(namespace)}; register @fastify/redis with it first`,
    })
  }
})

test('REDIS_URL is used where nothing else is given, and named if it is wrong', async (t) => {
  setEnvironment(t, { REDIS_URL: url })
  const { app } = loggedApp(t)
  await assertReaches(await connect(app))
  process.env['REDIS_URL'] = 'http://nowhere'
  await assert.rejects(connect(loggedApp(t).app), {
    code: 'AH_KIT_REDIS_OPTION',
    message:
      'REDIS_URL: expected a URL such as redis://host:6379 or rediss://host, or a socket path, got "http://nowhere"',
  })
})

test('equal targets share a connection, others do not', async (t) => {
  const { app } = loggedApp(t)
  const first = await connect(app, url, { owner: 'cache' })
  const retryStrategy = () => 10
  for (const same of [url, `${url}/`, { host, port }, { host, port: String(port) }, { host, port, db: 0 }]) {
    assert.equal(await connect(app, same, { owner: 'pubsub' }), first)
  }
  const others = [`${url}/1`, redis.socketPath, { host, port, retryStrategy }, redis.client(), redis.client()]
  const connections = await Promise.all(others.map((other) => connect(app, other, { owner: 'tasks' })))
  assert.equal(new Set([first, ...connections]).size, 6)
  assert.equal(await connect(app, { host, port, retryStrategy }), connections[2])
  const registered = redisRegistryOf(app).connections
  assert.equal(registered.length, 6)
  assert.deepEqual([...registered[0]!.owners], ['cache', 'pubsub'])
  assert.deepEqual(await Promise.all(registered.map(({ connection }) => connection.isAnswering())), Array(6).fill(true))
})

test('two clients that were handed in are two, however alike', async (t) => {
  const { app } = loggedApp(t)
  const [one, two] = [redis.client({ lazyConnect: true }), redis.client({ lazyConnect: true })]
  const connections = await Promise.all([connect(app, one), connect(app, two)])
  assert.deepEqual(
    connections.map(({ client }) => client === one || client === two),
    [true, true],
  )
  assert.notEqual(connections[0], connections[1])
})

test('connections that are asked for at once, before the first is ready, are one', async (t) => {
  const { app } = loggedApp(t)
  const connections = await Promise.all(Array.from({ length: 5 }, () => connect(app, url)))
  assert.equal(new Set(connections).size, 1)
})

test('every connection has a readiness check of its own', async (t) => {
  const { app } = loggedApp(t)
  const { lifecycleOf } = await import('fastify-ah-kit')
  await connect(app, redis.client())
  await connect(app, redis.client())
  const gone = redis.client()
  await connect(app, gone)
  gone.disconnect()
  const { ready, failed } = await lifecycleOf(app).readiness()
  assert.equal(ready, false)
  assert.deepEqual(failed, [{ name: `redis #3`, reason: `Redis redis://${host}:${port}/0 is not connected` }])
})
