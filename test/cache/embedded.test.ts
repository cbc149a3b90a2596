// The cache on the embedded store: every command and script that it sends, once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { redisRegistryOf } from 'fastify-ah-kit/redis'
import { tempDir, until } from 'fastify-ah-test-support'
import { openApp } from './open-cache.ts'

test('the embedded store does all that the cache asks for', async (t) => {
  const app = await openApp({ embedded: true }, t)
  const { cache } = app
  const other = cache.withOwner('other')

  assert.equal(await cache.save('a', { one: 1 }), true)
  assert.deepEqual((await cache.load('a')).value, { one: 1 })
  assert.deepEqual((await cache.load('a', { expireMs: 60_000 })).value, { one: 1 })
  assert.deepEqual(await cache.get('a'), { one: 1 })
  await cache.save('ends', 1, 20)
  await until(async () => (await cache.get('ends')) === undefined)

  assert.equal(await cache.lock('a', 60_000), true)
  assert.equal(await other.lock('a'), false)
  assert.equal(await other.unlock('a'), false)
  for (const call of [
    () => other.save('a', 2),
    () => other.get('a'),
    () => other.destroy('a'),
    () => other.push('a', 1),
  ]) {
    await assert.rejects(call(), { code: 'AH_CACHE_LOCKED' })
  }
  const [lock] = await cache.locks('a')
  assert.deepEqual([lock?.key, lock?.owner], ['a', cache.owner])
  assert.ok(lock!.expiresInMs! > 50_000)
  assert.equal(await other.checkLock('a'), false)
  assert.equal(await cache.unlock('a'), true)

  await assert.rejects(cache.push('a', 1), { code: 'AH_CACHE_NOT_A_LIST' })
  await assert.rejects(cache.listLength('a'), { code: 'AH_CACHE_NOT_A_LIST' })
  const answers = await Promise.all([
    cache.push('list', 1),
    cache.push('list', [2]),
    cache.listLength('list'),
    cache.pop('list'),
  ])
  assert.deepEqual(answers, [true, true, 2, 1])
  assert.equal(await cache.listLength('list'), 1)

  await Promise.all(Array.from({ length: 600 }, (_, index) => cache.save(`page ${index}`, index)))
  assert.equal((await cache.keys('page ')).length, 600)
  const file = `${tempDir(t).path}/dump`
  assert.equal(await cache.dumpWrite(file), 602)
  assert.equal(await cache.clear('page '), 600)
  assert.deepEqual((await cache.keys()).sort(), ['a', 'list'])
  assert.equal(await cache.dumpRead(file), 602)
  assert.deepEqual([await cache.pop('list'), await cache.pop('list')], [[2], null])
  assert.equal(await cache.destroy('a'), true)
  assert.equal(await cache.destroy('a'), false)
  assert.equal(await cache.clear(), 600)
  assert.equal(await cache.size(), 0)

  assert.deepEqual(
    await Promise.all([cache.increment('n', 2), cache.increment('n', -5, { expireMs: 60_000 })]),
    [2, -3],
  )
  assert.equal(await cache.get('n'), -3)
  await assert.rejects(
    cache.save('text', 'x').then(() => cache.increment('text')),
    { code: 'AH_CACHE_NOT_A_NUMBER' },
  )
  const tokens: number[] = []
  const [used] = redisRegistryOf(app).connections
  for (const isRenewed of [false, true]) {
    await cache.withLock('run', { ms: 2_000 }, async (signal, token) => {
      tokens.push(token)
      if (isRenewed) await until(() => used!.connection.sent.has('renew-lock'))
      assert.equal(signal.aborted, false)
      assert.equal(await cache.save('run', 1, { fencingToken: token, expireMs: 60_000 }), true)
    })
  }
  assert.ok(tokens[1]! > tokens[0]!)
  await assert.rejects(cache.save('run', 1, { fencingToken: tokens[0]! }), { code: 'AH_CACHE_FENCED' })
  const produce = async () => {
    // Work that takes a while: the others come meanwhile.
    await sleep(20)
    return { made: true }
  }
  const options = { expireMs: 60_000, tags: ['tag'] }
  const made = await Promise.all(Array.from({ length: 20 }, () => cache.getOrSet('made', options, produce)))
  assert.deepEqual(new Set(made.map((one) => JSON.stringify(one))), new Set(['{"made":true}']))
  assert.equal(cache.stats().produced, 1)
  await cache.invalidateTags(['tag'])
  assert.equal(await cache.get('made'), undefined)
  await assert.rejects(
    cache.getOrSet('made', options, () => Promise.reject(new Error('down'))),
    { message: 'down' },
  )
  assert.deepEqual(await cache.getOrSet('made', options, produce), { made: true })
  const renewed = await Promise.all(['n', 'made', 'n'].map((name) => cache.load(name, { expireMs: 60_000 })))
  assert.deepEqual(
    renewed.map(({ value }) => value),
    [-3, { made: true }, -3],
  )

  const scripts = ['save-entry', 'load-and-renew', 'destroy-entry', 'take-lock', 'release-lock', 'change-key']
  const forDumps = ['read-for-dump', 'restore-value', 'restore-list']
  const forTicks = ['save-entries', 'load-and-renew-all', 'raise-tag']
  const forRuns = ['take-fenced-lock', 'renew-lock', 'drop-lock', 'save-fenced-entry']
  const forProduce = ['claim-produce', 'settle-produce', 'fail-produce']
  for (const name of [...scripts, ...forDumps, ...forTicks, ...forRuns, ...forProduce])
    assert.ok(used?.connection.sent.has(name), `${name} was sent`)
})
