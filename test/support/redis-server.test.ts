// Tests Redis servers.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import test from 'node:test'
import { Redis } from 'ioredis'
import { isAlive, startRedis, until } from './index.ts'

test('a server answers on its url and is gone with its folder afterwards', async (t) => {
  const redis = await startRedis({}, t)
  assert.equal(await redis.client().set('key', 'value'), 'OK')
  assert.equal(await redis.command('GET', 'key'), 'value')
  assert.ok(isAlive(redis.pid))
  await redis.dispose()
  await redis.dispose()
  assert.ok(!isAlive(redis.pid))
  assert.ok(!existsSync(redis.dir))
})

test('many servers start at once', async (t) => {
  const all = await Promise.all(Array.from({ length: 8 }, () => startRedis({}, t)))
  assert.equal(new Set(all.map((redis) => redis.port)).size, 8)
})

test('a password is asked for', async (t) => {
  const redis = await startRedis({ password: 'p:@ s/"quoted"' }, t)
  assert.equal(await redis.client().ping(), 'PONG')
  const byUrl = new Redis(redis.url, { lazyConnect: true })
  t.after(() => byUrl.disconnect())
  assert.equal(await byUrl.ping(), 'PONG')
  const stranger = redis.client({ password: '' })
  await assert.rejects(stranger.ping(), /NOAUTH/)
})

test('with TLS only those who know the authority connect', async (t) => {
  const redis = await startRedis({ tls: true }, t)
  assert.match(redis.url, /^rediss:/)
  assert.equal(await redis.client().ping(), 'PONG')
  const distrustful = redis.client({ tls: {}, maxRetriesPerRequest: 0, retryStrategy: () => null })
  await assert.rejects(distrustful.ping())
  const byUrl = new Redis(redis.url, { tls: { ca: redis.ca! }, lazyConnect: true })
  t.after(() => byUrl.disconnect())
  assert.equal(await byUrl.ping(), 'PONG')
})

test('a unix socket answers too', async (t) => {
  const redis = await startRedis({ unixSocket: true }, t)
  assert.equal(await redis.client({ path: redis.socketPath }).ping(), 'PONG')
})

test('kill -9 and restart: same port, and with appendfsync always nothing is lost', async (t) => {
  const redis = await startRedis({ appendfsyncAlways: true }, t)
  const client = redis.client()
  await client.set('key', 'value')
  const { pid, port } = redis
  await redis.kill()
  assert.ok(!isAlive(pid))
  assert.ok(!redis.isRunning)
  await redis.restart()
  assert.equal(redis.port, port)
  assert.notEqual(redis.pid, pid)
  assert.equal(await client.get('key'), 'value')
  assert.equal(redis.log().match(/Ready to accept connections/g)?.length, 2)
})

test('paused it keeps connections and answers nothing, resumed it answers', async (t) => {
  const redis = await startRedis({}, t)
  const client = redis.client()
  await client.ping()
  redis.pause()
  let isAnswered = false
  const answer = client.ping().finally(() => {
    isAnswered = true
  })
  await assert.rejects(redis.command('PING'), /closed/)
  assert.ok(!isAnswered)
  assert.equal(client.status, 'ready')
  redis.resume()
  assert.equal(await answer, 'PONG')
})

test('a paused server can be stopped', async (t) => {
  const redis = await startRedis({}, t)
  redis.pause()
  await redis.stop()
  assert.ok(!isAlive(redis.pid))
})

test('a user that is denied a command may do all else', async (t) => {
  const redis = await startRedis({}, t)
  const client = new Redis(await redis.denyCommand('rpush', 'lpush'), { lazyConnect: true })
  t.after(() => client.disconnect())
  await assert.rejects(client.rpush('list', 1), /NOPERM/)
  await assert.rejects(client.lpush('list', 1), /NOPERM/)
  assert.equal(await client.set('key', 1), 'OK')
  await assert.rejects(client.eval("return redis.call('rpush', 'list', 1)", 0), /can't run this command|NOPERM/)
})

test('a line of configuration reaches the server', async (t) => {
  const redis = await startRedis({ config: { maxmemory: '2mb', 'maxmemory-policy': 'noeviction' } }, t)
  const client = redis.client()
  const fill = async () => {
    for (let i = 0; ; i++) await client.set(`key${i}`, 'x'.repeat(10_000))
  }
  await assert.rejects(fill(), /^ReplyError: OOM/)
})

test('a line that the server refuses is told with its words', async () => {
  await assert.rejects(startRedis({ config: { nonsense: 'yes' } }), /Bad directive/)
})

test('clients live through an outage without a word', async (t) => {
  const redis = await startRedis({}, t)
  const client = redis.client()
  await client.ping()
  await redis.kill()
  await until(() => client.status === 'reconnecting')
  await redis.restart()
  await until(() => client.status === 'ready')
})
