// The loops that keep a lock and the right to produce a value: what one refusal of Redis does to them, and what many do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const client = redis.client()

/** Resolves when Redis has refused a command to a user who may not renew; then he may. */
async function refuseOnce(user: string): Promise<void> {
  await until(async () => ((await redis.command('ACL', 'LOG')) as unknown[]).length > 0)
  await redis.command('ACL', 'SETUSER', user, '+pexpire')
}

async function withRefusals() {
  await client.acl('LOG', 'RESET')
  const url = await redis.denyCommand('pexpire')
  return { url, user: decodeURIComponent(new URL(url).username) }
}

test('[7] a renewal of a lock that is refused once is made up for before the lock ends', async (t) => {
  const { url, user } = await withRefusals()
  const cache = await openCache({ redis: url }, t)
  await cache.withLock('held', { ms: 3_000 }, async (signal) => {
    const from = performance.now()
    await refuseOnce(user)
    // Beyond its first end.
    await until(() => performance.now() - from > 4_000)
    assert.equal(signal.aborted, false)
    assert.equal(await client.get('actionhero:lock:held'), cache.owner)
  })
  assert.equal(cache.stats().locksLost, 0)
})

test('[7] a renewal of a run that is refused once is made up for: nobody else produces', async (t) => {
  const { url, user } = await withRefusals()
  const cache = await openCache({ redis: url, produceLeaseMs: 3_000 }, t)
  let waiting: Promise<unknown> | undefined
  const made = await cache.getOrSet('made', { expireMs: 60_000 }, async () => {
    const from = performance.now()
    await refuseOnce(user)
    waiting = cache.withOwner('other').getOrSet('made', { expireMs: 60_000 }, () => assert.fail('it ran'))
    await until(() => performance.now() - from > 4_000)
    return 1
  })
  assert.deepEqual([made, await waiting], [1, 1])
})

test('[7] a lock whose renewals are all refused is lost when its time is over, and its holder is told', async (t) => {
  const { url } = await withRefusals()
  const cache = await openCache({ redis: url }, t)
  let reason: unknown
  const run = cache.withLock('unrenewed', { ms: 1_000 }, async (signal) => {
    await until(() => signal.aborted)
    reason = signal.reason
  })
  await assert.rejects(run, { code: 'AH_CACHE_LOCK_LOST' })
  assert.equal((reason as { code?: string }).code, 'AH_CACHE_LOCK_LOST')
})
