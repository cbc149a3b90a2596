// What Redis refuses: a coded error for the caller, and the cache goes on.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { test } from 'node:test'
import type { Cache } from 'fastify-ah-cache'
import { redisRegistryOf } from 'fastify-ah-kit/redis'
import { startRedis, tempDir, until } from 'fastify-ah-test-support'
import { openApp, openCache } from './open-cache.ts'

const refused = (reason: string) => (error: Error & { code?: string }) => {
  assert.equal(error.code, 'AH_KIT_REDIS_REFUSED')
  assert.match((error.cause as Error).message, new RegExp(reason))
  return true
}

/** Every call of the cache; answers those that were refused. */
async function tour(cache: Cache, folder: string): Promise<string[]> {
  const file = `${folder}/dump`
  const calls: [string, () => Promise<unknown>][] = [
    ['save', () => cache.save('k', 1, 60_000)],
    ['get', () => cache.get('k')],
    ['load', () => cache.load('k')],
    ['load and renew', () => cache.load('k', { expireMs: 60_000 })],
    ['push', () => cache.push('list', 1)],
    ['listLength', () => cache.listLength('list')],
    ['increment', () => cache.increment('number')],
    [
      'saveMany',
      () =>
        cache.saveMany([
          ['many a', 1],
          ['many b', 2, 60_000],
        ]),
    ],
    ['loadMany', () => cache.loadMany(['many a', 'many b'])],
    ['save with tags', () => cache.save('tagged', 1, { tags: ['tag'] })],
    ['invalidateTags', () => cache.invalidateTags(['tag'])],
    ['getOrSet', () => cache.getOrSet('produced', { expireMs: 60_000 }, () => 1)],
    [
      'withLock',
      () => cache.withLock(`run ${randomUUID()}`, {}, (_, fencingToken) => cache.save('fenced', 1, { fencingToken })),
    ],
    ['lock', () => cache.lock('k')],
    ['checkLock', () => cache.checkLock('k')],
    ['locks', () => cache.locks()],
    ['keys', () => cache.keys()],
    ['size', () => cache.size()],
    ['dumpWrite', () => cache.dumpWrite(file)],
    ['dumpRead', () => cache.dumpRead(file)],
    ['pop', () => cache.pop('list')],
    ['unlock', () => cache.unlock('k')],
    ['destroy', () => cache.destroy('k')],
    ['clear', () => cache.clear()],
  ]
  const failed: string[] = []
  for (const [name, call] of calls) {
    try {
      await call()
    } catch (error) {
      const { code } = error as { code?: string }
      // Without a value there is nothing to load, without a dump nothing to read.
      if (code === 'AH_CACHE_NOT_FOUND' || code === 'AH_CACHE_DUMP_FILE') continue
      assert.equal(code, 'AH_KIT_REDIS_REFUSED', `${name}: ${error}`)
      failed.push(name)
    }
  }
  return failed
}

test('[6] each command that is forbidden is a coded error of the calls that need it, and no more', async (t) => {
  const redis = await startRedis({}, t)
  const { path } = tempDir(t)
  const app = await openApp({ redis: redis.url }, t)
  assert.deepEqual(await tour(app.cache, path), [])
  const [registered] = redisRegistryOf(app).connections
  const commands = new Set<string>()
  for (const name of registered!.connection.sent) {
    // Scripts go by their own names.
    commands.add(name.includes('-') ? 'evalsha' : name.toLowerCase())
  }
  for (const inside of ['set', 'psetex', 'pexpire', 'rpush', 'lpop', 'del']) commands.add(inside)
  for (const unneeded of ['ping', 'info', 'config']) commands.delete(unneeded)
  assert.ok(commands.size >= 10, [...commands].join())
  for (const command of commands) {
    const url = await redis.denyCommand(command)
    const cache = await openCache({ redis: url }, t)
    const failed = await tour(cache, path)
    assert.ok(failed.length > 0, `without ${command} something is refused`)
    const user = new URL(url).username
    await redis.command('ACL', 'SETUSER', user, '+@all')
    assert.deepEqual(await tour(cache, path), [], `with ${command} again nothing is`)
  }
})

test('[6] without memory writes are refused, and what reads or frees goes on', async (t) => {
  const redis = await startRedis({}, t)
  const cache = await openCache({ redis: redis.url }, t)
  await cache.save('k', 1)
  await cache.push('list', 1)
  await cache.lock('held')
  await redis.command('CONFIG', 'SET', 'maxmemory', 1)
  await assert.rejects(cache.save('new', 1), refused('^OOM'))
  await assert.rejects(cache.push('list', 1), refused('^OOM'))
  await assert.rejects(cache.lock('new'), refused('^OOM'))
  await assert.rejects(cache.increment('new'), refused('^OOM'))
  await assert.rejects(
    cache.withLock('new', {}, () => assert.fail('it ran')),
    refused('^OOM'),
  )
  await assert.rejects(
    cache.getOrSet('new', {}, () => assert.fail('it ran')),
    refused('^OOM'),
  )
  for (const outcome of await Promise.allSettled([cache.save('a', 1), cache.save('b', 1)])) {
    assert.ok(outcome.status === 'rejected' && refused('^OOM')(outcome.reason))
  }
  assert.equal(await cache.get('k'), 1)
  assert.equal(await cache.unlock('held'), true)
  assert.equal(await cache.destroy('k'), true)
  assert.equal(await cache.clear(), 1)
  await redis.command('CONFIG', 'SET', 'maxmemory', 0)
  assert.equal(await cache.save('new', 1), true)
})

test('[6] a Redis that cannot save to its disk refuses writes and still reads', async (t) => {
  const { path } = tempDir(t)
  const redis = await startRedis({ config: { save: '3600 1', dir: path } }, t)
  const cache = await openCache({ redis: redis.url }, t)
  await cache.save('k', 1)
  await rm(path, { recursive: true })
  await redis.command('BGSAVE')
  await until(async () => String(await redis.command('INFO', 'persistence')).includes('rdb_last_bgsave_status:err'))
  await assert.rejects(cache.save('k', 2), refused('^MISCONF'))
  await assert.rejects(cache.push('list', 2), refused('^MISCONF'))
  assert.equal(await cache.get('k'), 1)
  await redis.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no')
  assert.equal(await cache.save('k', 2), true)
  // Or it would refuse to end before it has saved.
  await redis.command('CONFIG', 'SET', 'save', '')
})

test('[6] calls made while Redis loads its data wait for it', async (t) => {
  const redis = await startRedis({ appendfsyncAlways: true, config: { 'key-load-delay': '300' } }, t)
  const cache = await openCache({ redis: redis.url }, t)
  await Promise.all(Array.from({ length: 2_000 }, (_, index) => cache.save(`k ${index}`, index)))
  await redis.command('BGREWRITEAOF')
  const restarted = redis.restart()
  const [saved, read] = await Promise.all([cache.save('during', 1), cache.get('k 1999')])
  await restarted
  assert.deepEqual([saved, read], [true, 1_999])
  assert.equal(await cache.get('during'), 1)
})

test('[6] a Redis that forgot its scripts is taught them again, call by call', async (t) => {
  const redis = await startRedis({}, t)
  const cache = await openCache({ redis: redis.url }, t)
  const { path } = tempDir(t)
  await tour(cache, path)
  const forgetful = new Proxy(cache, {
    get: (target, name: keyof Cache) => {
      const member = target[name]
      if (typeof member !== 'function') return member
      return async (...args: unknown[]) => {
        await redis.command('SCRIPT', 'FLUSH')
        return Reflect.apply(member, target, args)
      }
    },
  })
  assert.deepEqual(await tour(forgetful, path), [])
})
