// Bytes under our keys that somebody else wrote, or that were meant to harm.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const cache = await openCache({ redis: redis.url }, test)

const entries = [
  '',
  'no json',
  '{"value":1,"createdAt":1',
  'null',
  'true',
  '7',
  '"text"',
  '[]',
  '{}',
  '[{"value":1,"createdAt":1}]',
  '{"value":1}',
  '{"createdAt":1}',
  '{"value":1,"createdAt":"1"}',
  '{"value":1,"createdAt":null}',
  '{"value":1,"createdAt":1,"expiresAt":"never"}',
  '{"value":1,"createdAt":1,"__proto__":{"isAdmin":true}}',
  '{"value":{"__proto__":{"isAdmin":true}},"createdAt":1}',
  '{"value":{"\\u005f_proto__":{"isAdmin":true}},"createdAt":1}',
  '{"value":{"constructor":{"prototype":{"isAdmin":true}}},"createdAt":1}',
  `{"value":${'['.repeat(50_000)},"createdAt":1}`,
  Buffer.from([0xff, 0xfe, 0x00]),
]

test('[16] stored bytes that are no entry are a miss and are counted, and pollute nothing', async () => {
  for (const [index, bytes] of entries.entries()) {
    const before = cache.unreadable
    await client.set('actionhero:cache:k', bytes)
    assert.equal(await cache.get('k'), undefined, String(bytes).slice(0, 60))
    await assert.rejects(cache.load('k'), { code: 'AH_CACHE_NOT_FOUND' })
    await assert.rejects(cache.load('k', { expireMs: 60_000 }), { code: 'AH_CACHE_NOT_FOUND' })
    assert.equal(cache.unreadable, before + 3, `entry ${index} is counted`)
  }
  assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined)
  assert.equal(await cache.save('k', 'overwritten'), true)
  assert.equal(await cache.get('k'), 'overwritten')
})

test('[16] elements that are none are passed over and counted, so that the list does not look empty', async () => {
  const before = cache.namespace('any').unreadable
  await client.rpush(
    'actionhero:cache:list',
    '',
    'no json',
    'null',
    '[]',
    '{}',
    '{"data":{"__proto__":{"isAdmin":true}}}',
  )
  await cache.push('list', 'readable')
  assert.equal(await cache.pop('list'), 'readable')
  assert.equal(await cache.pop('list'), null)
  assert.equal(cache.unreadable, before + 6)
  assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined)
})

test('[16] what is neither text nor list under a key of ours is a miss, can be overwritten, cleared and dumped around', async () => {
  await client.hset('actionhero:cache:hash', 'a', '1')
  await client.sadd('actionhero:cache:set', 'a')
  assert.equal(await cache.get('hash'), undefined)
  await assert.rejects(cache.load('hash', { expireMs: 60_000 }), { code: 'AH_CACHE_NOT_FOUND' })
  await assert.rejects(cache.push('hash', 1), { code: 'AH_CACHE_NOT_A_LIST' })
  assert.equal(await cache.save('hash', 1), true)
  assert.equal(await cache.get('hash'), 1)
  assert.equal(await cache.destroy('set'), true)
})
