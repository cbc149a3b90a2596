// Two apps on one Redis: with different prefixes strangers, with one prefix one cache.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis, tempDir } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)

test('[8] apps with different prefixes never see each other', async (t) => {
  const one = await openCache({ redis: redis.url, prefix: 'shop:', owner: 'me' }, t)
  const two = await openCache({ redis: redis.url, prefix: 'shop:2:', owner: 'you' }, t)
  await one.save('k', 1)
  await one.push('list', 1)
  assert.equal(await one.lock('locked', 60_000), true)

  assert.equal(await two.get('k'), undefined)
  assert.equal(await two.pop('list'), null)
  assert.equal(await two.lock('locked', 60_000), true)
  assert.deepEqual(await two.keys(), [])
  assert.deepEqual(
    (await two.locks()).map(({ owner }) => owner),
    ['you'],
  )
  const file = `${tempDir(t).path}/dump`
  assert.equal(await two.dumpWrite(file), 0)
  assert.equal(await two.dumpRead(file), 0)
  assert.equal(await two.clear(), 0)
  assert.equal(await one.size(), 2)
  await two.save('k', 2)
  assert.equal(await one.clear(), 2)
  assert.equal(await two.get('k'), 2)
})

test('two apps of one process with one prefix share values and lists, and lose no element to each other', async (t) => {
  const one = await openCache({ redis: redis.url, prefix: 'same:', owner: 'one' }, t)
  const two = await openCache({ redis: redis.url, prefix: 'same:', owner: 'two' }, t)
  await one.save('k', 1)
  assert.equal(await two.get('k'), 1)
  for (let round = 0; round < 20; round += 1) {
    await Promise.all([one.push('list', round), two.push('list', round)])
  }
  assert.equal(await one.listLength('list'), 40)
  assert.equal(await one.lock('k'), true)
  assert.equal(await two.lock('k'), false)
})
