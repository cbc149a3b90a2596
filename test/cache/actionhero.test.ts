// What ActionHero 29 wrote we read, and what we write it reads: against bytes that its own cache wrote.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { startRedis, tempDir } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

interface Recorded {
  readonly entries: readonly { key: string; value: unknown; redisKey: string; bytes: string }[]
  readonly list: { redisKey: string; items: readonly { value: unknown; bytes: string }[] }
  readonly lock: { owner: string; redisKey: string; bytes: string }
  readonly dump: string
}

const file = new URL('../fixtures/actionhero-29.json', import.meta.url)
const recorded = JSON.parse(await readFile(file, 'utf8')) as Recorded

const redis = await startRedis({}, test)
const client = redis.client()
const cache = await openCache({ redis: redis.url }, test)

test('entries that ActionHero saved are loaded', async () => {
  for (const { key, value, redisKey, bytes } of recorded.entries) {
    await client.set(redisKey, bytes)
    assert.deepEqual(await cache.load(key), { key, value, createdAt: JSON.parse(bytes).createdAt })
    assert.deepEqual(await cache.get(key), value)
  }
})

test('entries are saved in the bytes that ActionHero writes', async () => {
  const withoutTime = (bytes: string) => bytes.replace(/"createdAt":\d+\}$/, '"createdAt":0}')
  for (const { key, value, redisKey, bytes } of recorded.entries) {
    await client.del(redisKey)
    await cache.save(key, value)
    assert.equal(withoutTime((await client.get(redisKey))!), withoutTime(bytes))
  }
})

test('elements that ActionHero pushed are popped, and pushed in its bytes', async () => {
  const { redisKey, items } = recorded.list
  for (const { bytes } of items) await client.rpush(redisKey, bytes)
  for (const { value } of items) assert.deepEqual(await cache.pop('list'), value)
  for (const { value } of items) await cache.push('list', value)
  assert.deepEqual(
    await client.lrange(redisKey, 0, '-1'),
    items.map(({ bytes }) => bytes),
  )
})

test('a lock that ActionHero holds holds for us, and ours is in its bytes', async () => {
  const { owner, redisKey, bytes } = recorded.lock
  await client.set(redisKey, bytes, 'EX', 10)
  assert.equal(await cache.lock('locked'), false)
  await assert.rejects(cache.save('locked', 1), { code: 'AH_CACHE_LOCKED' })
  assert.equal(await cache.unlock('locked'), false)
  assert.equal(await cache.withOwner(owner).unlock('locked'), true)
  assert.equal(await cache.withOwner(owner).lock('locked'), true)
  assert.equal(await client.get(redisKey), bytes)
  // What ActionHero's unlock does.
  await client.del(redisKey)
  assert.equal(await cache.lock('locked'), true)
})

test('a dump that ActionHero wrote is read, whole or not at all', async (t) => {
  const dump = `${tempDir(t).path}/cacheDump`
  await writeFile(dump, recorded.dump)
  await cache.save('another', 1)
  assert.equal(await cache.dumpRead(dump), recorded.entries.length)
  assert.equal(await cache.get('another'), undefined)
  for (const { key, value } of recorded.entries) assert.deepEqual(await cache.get(key), value)

  await writeFile(dump, recorded.dump.slice(0, -1))
  await assert.rejects(cache.dumpRead(dump), { code: 'AH_CACHE_DUMP_BROKEN' })
  assert.equal(await cache.size(), recorded.entries.length)

  await writeFile(dump, '{"actionhero:cache:gone":null,"actionhero:cache:k":"{\\"value\\":1,\\"createdAt\\":2}"}')
  const inside = cache.namespace('moved')
  assert.equal(await inside.dumpRead(dump), 1)
  assert.deepEqual(await inside.keys(), ['k'])
})
