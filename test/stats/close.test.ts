// The last counts of an app: at its drain, at its close, and with Redis gone by then.
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import { lifecycleOf } from 'fastify-ah-kit'
import { fastifyAhStats } from 'fastify-ah-stats'
import { atEnd, httpGet, startRedis } from 'fastify-ah-test-support'
import { openApp } from './open-stats.ts'

describe('drain and close', () => {
  test('what was counted is written at the drain, and what came after it at the close', async (t) => {
    const redis = await startRedis({}, t)
    const { app, stats, lines } = await openApp({ redis: redis.url, writeMs: 3_600_000 }, t)
    stats.increment('a')
    await lifecycleOf(app).drain()
    assert.equal(await redis.client().hget('actionhero:stats', 'a'), '1')
    stats.increment('a')
    await app.close()
    assert.equal(await redis.client().hget('actionhero:stats', 'a'), '2')
    assert.deepEqual(
      lines.filter(({ level }) => Number(level) > 30),
      [],
    )
    stats.increment('a')
    assert.equal(stats.lost, 1, 'after the close')
    assert.match(String(lines.at(-1)?.['msg']), /given up: the app is closed/)
  })

  test('a request that is answered while the app closes is counted', async (t) => {
    const redis = await startRedis({}, t)
    const app = fastify()
    atEnd(t, () => app.close())
    await app.register(fastifyAhStats, { redis: redis.url, writeMs: 3_600_000 })
    let answer = (): void => undefined
    const asked = new Promise<void>((resolve) => {
      app.get('/slow', async () => {
        resolve()
        await new Promise<void>((done) => {
          answer = done
        })
        app.stats.increment('last')
        return 'done'
      })
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const got = httpGet({ port: (app.server.address() as AddressInfo).port }, { path: '/slow' })
    await asked
    const closed = app.close()
    await lifecycleOf(app).drain()
    answer()
    assert.equal((await got).body, 'done')
    await closed
    assert.equal(await redis.client().hget('actionhero:stats', 'last'), '1')
  })

  for (const how of ['stopped', 'silent'] as const) {
    test(`[1] [2] with Redis ${how} the close ends in time and says what is lost`, async (t) => {
      const redis = await startRedis({}, t)
      const { app, stats, lines } = await openApp({ redis: redis.url, writeMs: 20 }, t)
      await stats.write()
      if (how === 'stopped') await redis.stop()
      else redis.pause()
      atEnd(t, () => redis.resume())
      stats.increment('a')
      stats.increment('b')
      const started = performance.now()
      await app.close()
      await app.close()
      // 6 s for the drain, 1 s for the last try, 2 s for the connection.
      assert.ok(performance.now() - started < 10_000)
      const told = lines.find(({ msg }) => String(msg).includes('are not in Redis'))
      assert.deepEqual([told?.['keys'], told?.['collections']], [2, ['stats']])
      redis.resume()
    })
  }
})
