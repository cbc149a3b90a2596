// What the `redis` option does not take, and what is said of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastifyRedis from '@fastify/redis'
import type { FastifyInstance } from 'fastify'
import { defineOptions } from 'fastify-ah-kit'
import { type RedisOption, redisFor, redisOptionSchema, redisRegistryOf } from 'fastify-ah-kit/redis'
import { startRedis } from 'fastify-ah-test-support'
import { Cluster, Redis } from 'ioredis'
import { loggedApp } from './app.ts'

const redis = await startRedis({ unixSocket: true }, test)
const secured = await startRedis({ password: 'p@ss/w:rd?' }, test)
const { host, port, url } = redis

function connect(app: FastifyInstance, redis?: unknown) {
  return redisFor(app, { owner: 'test', redis: redis as RedisOption | undefined })
}

test('keyPrefix, and what changes the form of answers, is refused in every form', async (t) => {
  const lazy = { lazyConnect: true, host, port }
  const made: (Redis | Cluster)[] = []
  const kept = <Client extends Redis | Cluster>(client: Client): Client => {
    made.push(client)
    return client
  }
  t.after(() => made.map((client) => client.disconnect()))
  const refused: [option: unknown, name: string][] = [
    [`${url}?keyPrefix=p`, 'keyPrefix'],
    [`${redis.socketPath}?keyPrefix=p`, 'keyPrefix'],
    [{ host, port, keyPrefix: 'p' }, 'keyPrefix'],
    [{ sentinels: [{ host, port }], name: 'm', keyPrefix: 'p' }, 'keyPrefix'],
    [{ cluster: [{ host, port }], options: { keyPrefix: 'p' } }, 'keyPrefix'],
    [{ cluster: [{ host, port }], options: { redisOptions: { keyPrefix: 'p' } } }, 'keyPrefix'],
    [kept(new Redis({ ...lazy, keyPrefix: 'p' })), 'keyPrefix'],
    [kept(new Cluster([{ host, port }], { lazyConnect: true, keyPrefix: 'p' })), 'keyPrefix'],
    [kept(new Cluster([{ host, port }], { lazyConnect: true, redisOptions: { keyPrefix: 'p' } })), 'keyPrefix'],
    [{ host, port, stringNumbers: true }, 'stringNumbers'],
    [kept(new Redis({ ...lazy, stringNumbers: true })), 'stringNumbers'],
    [kept(new Redis({ ...lazy, replyMapping: 'resp3' }) as unknown as Redis), 'replyMapping'],
  ]
  for (const [option, name] of refused) {
    const { app } = loggedApp(t)
    await assert.rejects(connect(app, option), {
      code: 'AH_KIT_REDIS_OPTION',
      message: new RegExp(`^option "redis.${name}" is not supported`),
    })
  }
  const { app } = loggedApp(t)
  await app.register(fastifyRedis, { client: redis.client({ keyPrefix: 'p' }) })
  await assert.rejects(connect(app), { code: 'AH_KIT_REDIS_OPTION', message: /use the option "prefix" instead/ })
})

test('what is no Redis is refused at once, with what was wrong', async (t) => {
  const otherLibrary = { sendCommand: () => 1, duplicate: () => 1, on: () => 1, isOpen: true }
  class OtherClient {
    sendCommand = otherLibrary.sendCommand
    duplicate = otherLibrary.duplicate
    on = otherLibrary.on
  }
  const form = /^option "redis": expected an ioredis client, a redis:\/\/ URL, a socket path, ioredis options/
  const address = /^option "redis": expected a URL such as redis:\/\/host:6379/
  const refused: [option: unknown, message: RegExp][] = [
    ['', form],
    [6379, form],
    [null, form],
    [true, form],
    [[url], form],
    [new Map(), form],
    [new OtherClient(), form],
    [() => url, form],
    [`${host}:${port}`, address],
    ['localhost:6379', /got "localhost:6379"$/],
    ['//localhost', /got "\/\/localhost"$/],
    ['redi://localhost', /got "redi:\/\/localhost"$/],
    ['redis:6379', /got one without a host$/],
    ['redis:///0', /got one without a host$/],
    ['redis://localhost/one', /got one whose database is no number: "\/one"$/],
    [{ url }, /^option "redis": pass the url itself/],
    [{ client: {} }, /^option "redis": pass the client itself/],
    [{ cluster: [] }, /^option "redis.cluster": expected a list of nodes/],
    [{ cluster: url }, /^option "redis.cluster": expected a list of nodes/],
    [
      { cluster: [{ port }], redisOptions: {} },
      /^unknown option "redis.redisOptions": beside "cluster" there is only "options"/,
    ],
    [{ namespace: 'a', host }, /^unknown option "redis.host": beside "namespace" there is nothing else/],
    [{ sentinels: [], name: 'm' }, /^option "redis": Requires at least one sentinel/],
    [{ sentinels: [{ host, port }] }, /^option "redis": Requires the name of master/],
  ]
  for (const [option, message] of refused) {
    const { app } = loggedApp(t)
    await assert.rejects(connect(app, option), { code: 'AH_KIT_REDIS_OPTION', message }, String(option))
    assert.deepEqual(redisRegistryOf(app).connections, [])
  }
})

test('a wrong URL is not shown where it may hold a password', async (t) => {
  const wrong = [
    'http://ann:hunter2@localhost',
    ':hunter2@localhost:6379',
    'redis://:hunter2@localhost:99999',
    'redis://:hunter2@local host',
    'redis://:hunter2%zz@localhost',
    'redis://:hunter2@localhost/one',
    'redis:6379?password=hunter2',
  ]
  for (const text of wrong) {
    await assert.rejects(connect(loggedApp(t).app, text), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'AH_KIT_REDIS_OPTION')
      assert.ok(!error.stack?.includes('hunter2'), error.message)
      assert.equal(error.cause, undefined)
      return true
    })
  }
})

test('labels name the place and never the way in', async (t) => {
  const { app } = loggedApp(t)
  const label = async (option: unknown) => {
    const failed = await redisFor(app, { owner: 'x', redis: option as RedisOption }).catch((error: Error) => error)
    return failed instanceof Error ? failed.message : failed.target.label
  }
  assert.equal(await label(secured.url), `redis://${host}:${secured.port}/0`)
  assert.equal(await label(redis.socketPath), redis.socketPath)
  assert.equal(await label(secured.client({ db: 2 })), `redis://${host}:${secured.port}/2`)
})

test("the option's schema takes what can be a Redis, and refuses the rest with the forms", async () => {
  const options = defineOptions<{ redis?: RedisOption }>({ package: 'p', properties: { redis: redisOptionSchema } })
  const client = redis.client()
  for (const fine of [url, redis.socketPath, client, { host }, { namespace: 'x' }, { cluster: [{ port }] }]) {
    assert.equal(options.parse({ redis: fine }).redis, fine)
  }
  for (const wrong of ['', 6379, null, [], new Map(), () => 1]) {
    assert.throws(() => options.parse({ redis: wrong }), /option "redis": expected an ioredis client, a redis:\/\/ URL/)
  }
})
