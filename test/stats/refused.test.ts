// Redis full, or saying no, and memory full: what can be kept is kept, what cannot is told.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { openApp } from './open-stats.ts'
import { total } from './total.ts'

/** FAULTS 1: all works again within 5 s of Redis being ready. */
const backMs = 5_000

type Command = (...args: (string | number)[]) => Promise<unknown>

describe('[6] what Redis refuses is kept and tried again', () => {
  const refusals = {
    'no memory': {
      breakIt: (command: Command) => command('CONFIG', 'SET', 'maxmemory', '1'),
      mendIt: (command: Command) => command('CONFIG', 'SET', 'maxmemory', '0'),
    },
    'another type': {
      breakIt: (command: Command) => command('SET', 'actionhero:stats', 'a text'),
      mendIt: (command: Command) => command('DEL', 'actionhero:stats'),
    },
    'a script that is not known any more': {
      breakIt: (command: Command) => command('SCRIPT', 'FLUSH'),
      mendIt: async () => undefined,
    },
  }
  for (const [name, { breakIt, mendIt }] of Object.entries(refusals)) {
    test(name, async (t) => {
      const redis = await startRedis({}, t)
      const { stats } = await openApp({ redis: redis.url, writeMs: 5 }, t)
      await breakIt((...args) => redis.command(...args))
      stats.increment('a', 3)
      if (name.startsWith('a script')) await stats.write()
      else await assert.rejects(stats.write(), { code: 'AH_KIT_REDIS_REFUSED' })
      stats.increment('a')
      await mendIt((...args) => redis.command(...args))
      await until(() => stats.waiting === 0)
      assert.equal(await stats.get('a'), 4)
      assert.equal(stats.lost, 0)
    })
  }

  test('[7] each command that stats send is forbidden in turn, and the rest goes on', async (t) => {
    const redis = await startRedis({}, t)
    for (const denied of ['hset', 'hget', 'eval|evalsha', 'hscan']) {
      const url = await redis.denyCommand(...denied.split('|'))
      const prefix = `without-${denied.replace('|', '-')}:`
      const { stats } = await openApp({ redis: url, prefix, writeMs: 5 }, t)
      stats.increment('a', 2)
      const [written, read, all] = await Promise.allSettled([stats.write(), stats.get('a'), stats.getAll()])
      assert.equal(written.status, denied === 'hscan' ? 'fulfilled' : 'rejected', denied)
      assert.equal(read.status, denied === 'hget' ? 'rejected' : 'fulfilled', denied)
      assert.equal(all.status, denied === 'hscan' ? 'rejected' : 'fulfilled', denied)
      for (const outcome of [written, read, all]) {
        if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'AH_KIT_REDIS_REFUSED')
      }
      await redis.command('ACL', 'SETUSER', new URL(url).username, '+@all')
      await until(() => stats.waiting === 0)
      assert.equal(await stats.get('a'), 2, denied)
    }
  })
})

describe('memory while Redis is away', () => {
  test('so many keys wait and no more; counts of those are kept, the others are given up and told', async (t) => {
    const redis = await startRedis({ appendfsyncAlways: true }, t)
    const { stats, lines } = await openApp({ redis: redis.url, writeMs: 5, maxKeys: 100 }, t)
    await redis.stop()
    for (let round = 0; round < 3; round += 1) {
      for (let key = 0; key < 150; key += 1) stats.increment(`key ${key}`)
    }
    const given = stats.lost
    // A batch may have been on its way before the outage was noticed; what waits behind it has the whole room.
    assert.ok(given <= 150 && given > 0, String(given))
    assert.ok(stats.waiting <= 200, String(stats.waiting))
    await redis.restart()
    await until(() => stats.waiting === 0, { deadlineMs: backMs + 5_000 })
    assert.equal(await total(stats), 450 - given)
    await until(() => lines.some(({ msg, lost }) => msg === 'counts were given up' && lost === given))
    assert.equal(lines.filter(({ msg }) => String(msg).includes('too many different keys')).length, 1)
    stats.increment('a new key')
    await stats.write()
    assert.equal(stats.lost, given)
  })

  test('when it fills up faster than writeMs, it is written earlier', async (t) => {
    const redis = await startRedis({}, t)
    const { stats } = await openApp({ redis: redis.url, writeMs: 3_600_000, maxKeys: 100 }, t)
    // The first step is over: the next one would come in an hour.
    await stats.write()
    for (let key = 0; key < 1_000; key += 1) {
      stats.increment(`key ${key}`)
      if (key % 50 === 0) await until(() => stats.waiting <= 50)
    }
    assert.equal(stats.lost, 0)
    await stats.write()
    assert.equal(await total(stats), 1_000)
  })
})
