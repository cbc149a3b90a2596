// What becomes `app.redis`, and the store in memory that stands in where no Redis is given.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import fastifyRedis from '@fastify/redis'
import type { FastifyInstance } from 'fastify'
import { redisFor, redisRegistryOf } from 'fastify-ah-kit/redis'
import { startRedis, type TestScope } from 'fastify-ah-test-support'
import type { Redis } from 'ioredis'
import { loggedApp } from './app.ts'

const redis = await startRedis({}, test)

function setEnvironment(scope: TestScope, variables: Record<string, string>): void {
  Object.assign(process.env, variables)
  scope.after(() => {
    for (const name of Object.keys(variables)) delete process.env[name]
  })
}

const redisOf = (app: FastifyInstance) => (app as unknown as { redis?: Redis }).redis

test('the fallback becomes `app.redis`, with our client, once the app is ready', async (t) => {
  setEnvironment(t, { REDIS_URL: redis.url })
  const { app, lines } = loggedApp(t)
  let seen: Redis | undefined
  app.get('/', async () => redisOf(app)?.ping())
  await app.register(async (child) => {
    const connection = await redisFor(child, { owner: 'cache' })
    child.addHook('onReady', async () => {
      seen = connection.client as Redis
    })
  })
  assert.equal(redisOf(app), undefined)
  await app.ready()
  assert.equal(redisOf(app), seen)
  assert.equal((await app.inject('/')).body, 'PONG')
  assert.deepEqual(
    lines().filter(({ level }) => level >= 40),
    [],
  )
  await app.close()
  assert.equal(seen?.status, 'end')
})

test('the fallback becomes `app.redis` also if a plugin named the same Redis by itself', async (t) => {
  setEnvironment(t, { REDIS_URL: redis.url })
  const { app } = loggedApp(t)
  const connection = await redisFor(app, { owner: 'cache', redis: { host: redis.host, port: redis.port } })
  assert.equal(await redisFor(app, { owner: 'pubsub' }), connection)
  await app.ready()
  assert.equal(redisOf(app), connection.client)
})

test('a Redis that a plugin was given does not become `app.redis`', async (t) => {
  const { app } = loggedApp(t)
  await redisFor(app, { owner: 'cache', redis: redis.url })
  await redisFor(app, { owner: 'pubsub', redis: redis.client() })
  await app.ready()
  assert.equal(app.hasDecorator('redis'), false)
})

test('@fastify/redis after plugins that chose another Redis is told of, and left alone', async (t) => {
  setEnvironment(t, { REDIS_URL: redis.url })
  const { app, lines } = loggedApp(t)
  const connection = await redisFor(app, { owner: 'cache' })
  const client = redis.client()
  await app.register(fastifyRedis, { client })
  assert.equal(await redisFor(app, { owner: 'pubsub' }), connection)
  await app.ready()
  assert.equal(redisOf(app), client)
  const warnings = lines().filter(({ level }) => level === 40)
  assert.deepEqual(
    warnings.map(({ msg, owners }) => [msg, owners]),
    [
      [
        '@fastify/redis was registered after plugins that therefore use another Redis: register it before them',
        ['cache', 'pubsub'],
      ],
    ],
  )
})

test('@fastify/redis with namespaces alone is left alone without a word', async (t) => {
  setEnvironment(t, { REDIS_URL: redis.url })
  const { app, lines } = loggedApp(t)
  const client = redis.client()
  await app.register(fastifyRedis, { client, namespace: 'shop' })
  await redisFor(app, { owner: 'cache' })
  await app.ready()
  assert.deepEqual(Object.keys(redisOf(app) ?? {}), ['shop'])
  assert.deepEqual(
    lines().filter(({ level }) => level >= 40),
    [],
  )
})

test('without any Redis a store in memory is started, said in one line, and gone with the app', async (t) => {
  const { app, lines } = loggedApp(t)
  const connection = await redisFor(app, { owner: 'cache' })
  assert.equal(await redisFor(app, { owner: 'pubsub' }), connection)
  assert.equal(connection.target.label, 'the embedded store')
  const warnings = lines().filter(({ level }) => level >= 40)
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!.msg, /^no Redis is given: using a store in memory/)
  const path = warnings[0]!['path'] as string
  assert.ok(existsSync(path))
  await connection.write('SET', ['a', '1'])
  assert.equal(await connection.read('GET', ['a']), '1')
  assert.equal(await connection.isAnswering(), true)
  // Its users close before it does: this one still writes.
  let written: unknown
  app.addHook('onClose', async () => {
    written = await connection.write('SET', ['b', '2'])
  })
  await app.ready()
  assert.equal(redisOf(app), connection.client)
  await app.close()
  assert.equal(written, 'OK')
  await app.close()
  assert.equal(existsSync(path), false)
})

test('two apps have a store in memory each', async (t) => {
  const [one, two] = await Promise.all([loggedApp(t).app, loggedApp(t).app].map((app) => redisFor(app, { owner: 'x' })))
  await one!.write('SET', ['only in one', '1'])
  assert.equal(await two!.read('GET', ['only in one']), null)
})

test('in production no Redis is an error with what to do, unless the store in memory is asked for', async (t) => {
  setEnvironment(t, { NODE_ENV: 'production' })
  const { app } = loggedApp(t)
  await assert.rejects(redisFor(app, { owner: 'cache' }), {
    code: 'AH_KIT_REDIS_MISSING',
    message: /pass the option "redis", register @fastify\/redis first, set REDIS_URL, or ask for .* embedded: true/,
  })
  assert.deepEqual(redisRegistryOf(app).connections, [])
  const asked = await redisFor(loggedApp(t).app, { owner: 'cache', embedded: true })
  assert.equal(asked.target.label, 'the embedded store')
  const named = await redisFor(loggedApp(t).app, { owner: 'cache', embedded: true, redis: redis.url })
  assert.equal(named.target.label, `redis://${redis.host}:${redis.port}/0`)
})

test('a connection that is asked for after the close is refused', async (t) => {
  const { app } = loggedApp(t)
  const registry = redisRegistryOf(app)
  await app.close()
  await assert.rejects(registry.connect({ owner: 'late', redis: redis.url }), { code: 'AH_KIT_REDIS_DOWN' })
})
