// Somebody else writes into our Redis: every key and channel of ours gets bytes and types that we never wrote.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify, { type FastifyInstance } from 'fastify'
import { atEnd, type RedisServer, random, scaled, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { callsOf, registerEverything } from './everything.ts'

const TOKEN = 'a token of the servers, long enough for all'
/** Beyond every deadline of ours. */
const PATIENCE_MS = 12_000

const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!

/** What a stranger may put anywhere. */
const bytes: readonly (() => string | Buffer)[] = [
  () => '',
  () => 'null',
  () => '[]',
  () => '-1',
  () => '9'.repeat(400),
  () => '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  () => '{"value":{"__proto__":{"polluted":1}},"createdAt":1}',
  () => '{"class":"add","args":[{"__proto__":{"polluted":1}}]}',
  () => '{"class":"constructor","args":{}}',
  () => '['.repeat(20_000),
  () => JSON.stringify({ data: 'x'.repeat(100_000) }),
  () => randomBytes(Math.floor(random() * 300)),
]

/** What a stranger may do to a key. */
const spoilings: readonly ((redis: RedisServer, key: string) => Promise<unknown>)[] = [
  (redis, key) => redis.command('SET', key, pick(bytes)()),
  (redis, key) => replaced(redis, key, 'RPUSH', pick(bytes)(), pick(bytes)()),
  (redis, key) => replaced(redis, key, 'SADD', pick(bytes)(), 'a'),
  (redis, key) => replaced(redis, key, 'HSET', pick(bytes)(), pick(bytes)()),
  (redis, key) => replaced(redis, key, 'ZADD', pick([-1, 0, 1e300]), pick(bytes)()),
  (redis, key) => replaced(redis, key, 'XADD', '1-1', pick(bytes)(), pick(bytes)()),
  (redis, key) => redis.command('DEL', key),
  (redis, key) => redis.command('PEXPIRE', key, 1),
]

const REPLACE = `redis.call('DEL', KEYS[1]) return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))`

/** In one step: the app writes meanwhile. */
function replaced(redis: RedisServer, key: string, command: string, ...rest: (string | number | Buffer)[]) {
  return redis.command('EVAL', REPLACE, 1, key, command, ...rest)
}

async function openApp(redis: RedisServer, t: TestScope): Promise<FastifyInstance> {
  const app = fastify()
  atEnd(t, () => app.close())
  await registerEverything(app, redis.url, TOKEN)
  await app.ready()
  return app
}

test('[16, 24, 35] whatever a stranger writes into every key and channel: calls end, with an answer or a coded error, and all is well once it is gone', async (t) => {
  const redis = await startRedis({}, t)
  const app = await openApp(redis, t)
  const calls = callsOf(app)
  const heard: unknown[] = []
  await app.pubsub.subscribe('/talk', (message) => heard.push(message))
  const uncoded = new Set<string>()
  let refused = 0
  const attempt = async (name: string) => {
    const late = sleep(PATIENCE_MS, 'late', { ref: false })
    const ended = calls[name]!().then(
      () => 'answered',
      (error: { code?: string; message?: string }) => {
        if (!/^AH_[A-Z]+_/.test(error.code ?? '')) uncoded.add(`${name}: ${error.code ?? ''} ${error.message}`)
        refused += 1
        return 'refused'
      },
    )
    assert.notEqual(await Promise.race([ended, late]), 'late', `${name} never ended`)
  }

  for (let round = 0; round < scaled(300, 25); round += 1) {
    await Promise.all(Object.keys(calls).map(attempt))
    const keys = (await redis.command('KEYS', '*')) as string[]
    await Promise.all(keys.map((key) => pick(spoilings)(redis, key)))
    const channels = (await redis.command('PUBSUB', 'CHANNELS', '*')) as string[]
    for (const channel of channels) await redis.command('PUBLISH', channel, pick(bytes)())
    await redis.command('RPUSH', 'resque:queue:default', pick(bytes)()).catch(() => 'another type by now')
  }
  assert.ok(refused > 0, 'nothing that was spoilt was met')
  assert.deepEqual([...uncoded], [])
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)

  await redis.command('FLUSHALL')
  await until(
    async () => {
      const queued = await app.tasks.enqueue('add', { a: 1, b: 2 }, { track: true }).catch(() => false as const)
      return queued !== false && (await app.tasks.waitFor(queued.id!, { timeoutMs: 2_000 }).catch(() => 0)) === 3
    },
    { what: 'a job that runs', deadlineMs: 30_000 },
  )
  await app.cache.save('key', 7)
  assert.equal(await app.cache.get('key'), 7)
  assert.equal(await app.pubsub.call('double', 21), 42)
  await until(async () => (await app.pubsub.nodes()).length === 1, { what: 'the node in the list', deadlineMs: 15_000 })
  heard.length = 0
  await app.pubsub.publish('/talk', 'after all')
  await until(() => heard.includes('after all'))
  app.stats.increment('after')
  await until(async () => (await app.stats.get('after')) > 0, { deadlineMs: 15_000 })
  const ada = await app.rooms.inject({ user: 'ada' })
  await app.rooms.add('again')
  assert.equal((await ada.request({ event: 'roomAdd', room: 'again' })).status, 'OK')
})
