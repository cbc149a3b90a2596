// The shared last-beat: no lease ends while Redis, or everybody, was away.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Loop } from 'fastify-ah-kit'
import { defineScript, type RedisConnection, SharedBeat, sharedBeatLua } from 'fastify-ah-kit/redis'
import { atEnd, type RedisServer, shiftDate, spawnNode, startRedis, until } from 'fastify-ah-test-support'
import { connected } from './app.ts'

const redis = await startRedis({ appendfsyncAlways: true }, test)

const leaseMs = 900

// A machine so busy that nobody beats for half a lease holds everything for one more; that is no failure.
const patience = { deadlineMs: 60_000 }

/** Time in ms by Redis. */
async function redisNow(server: RedisServer = redis): Promise<number> {
  const [seconds, micros] = (await server.command('TIME')) as [string, string]
  return Number(seconds) * 1000 + Number(micros) / 1000
}

/** Beats like a living process. */
function beating(t: TestContext, connection: RedisConnection, key: string): Loop {
  const beat = new SharedBeat(connection, key, leaseMs)
  const loop = new Loop({
    name: 'beat',
    step: async () => {
      await beat.record()
      return leaseMs / 6
    },
    onError: (error) => assert.match((error as Error & { code: string }).code, /^AH_KIT_REDIS_(DOWN|UNCERTAIN)$/),
    maxBackoffMs: 100,
  })
  loop.start()
  atEnd(t, () => loop.stop())
  return loop
}

/** Waits until leases may end, and asserts that this was not before `heldUntil` by Redis. */
async function untilMayExpire(beat: SharedBeat, heldUntil: number, server = redis): Promise<void> {
  await until(() => beat.mayExpire(), patience)
  const now = await redisNow(server)
  assert.ok(now >= heldUntil, `leases might end ${heldUntil - now} ms too early`)
}

// Each has a key or a server of its own, and waits for leases.
describe('shared beat', { concurrency: true }, () => {
  test('without any beat no lease ends, and after the first not for one full lease', async (t) => {
    const { connection } = await connected(t, { redis: redis.url })
    const beat = new SharedBeat(connection, 'first', leaseMs)
    assert.equal(await beat.mayExpire(), false)
    const before = await redisNow()
    const at = await beat.record()
    assert.ok(at >= Math.floor(before) && at <= (await redisNow()), 'the beat is dated by Redis')
    assert.equal(await beat.mayExpire(), false)
    beating(t, connection, 'first')
    await untilMayExpire(beat, at + leaseMs)
    const [last, hold] = String(await redis.command('GET', 'first'))
      .split(':')
      .map(Number)
    // The last beat before that moment; older than half a lease it would have held everything.
    assert.ok(last! >= at + leaseMs / 2)
    assert.ok(hold! >= at + leaseMs)
  })

  test('[11b] while nobody beats no lease ends, and after it not for one full lease', async (t) => {
    const { connection } = await connected(t, { redis: redis.url })
    const beat = new SharedBeat(connection, 'silence', leaseMs)
    const loop = beating(t, connection, 'silence')
    await until(() => beat.mayExpire(), patience)
    await loop.stop()
    // The silence itself is the subject: longer than half a lease.
    await sleep(leaseMs / 2 + 50)
    assert.equal(await beat.mayExpire(), false)
    await sleep(leaseMs)
    assert.equal(await beat.mayExpire(), false)
    const back = await beat.record()
    beating(t, connection, 'silence')
    assert.equal(await beat.mayExpire(), false)
    await untilMayExpire(beat, back + leaseMs)
  })

  for (const [title, options] of [
    ['Redis away longer than a lease, then back', { appendfsyncAlways: true }],
    ['Redis away and back without its data', {}],
  ] as const) {
    test(`[11b] ${title}: nothing ends for one full lease, whoever asks`, async (t) => {
      const server = await startRedis(options, t)
      const nodes = await Promise.all(
        Array.from({ length: 3 }, async () => (await connected(t, { redis: server.url, deadlineMs: 100 })).connection),
      )
      for (const node of nodes) beating(t, node, 'beat')
      const beats = nodes.map((node) => new SharedBeat(node, 'beat', leaseMs))
      await Promise.all(beats.map((beat) => until(() => beat.mayExpire(), patience)))
      await server.stop()
      // The outage itself is the subject: longer than the lease.
      await sleep(leaseMs * 1.5)
      await server.restart()
      const back = await redisNow(server)
      await Promise.all(beats.map((beat) => untilMayExpire(beat, back + leaseMs - leaseMs / 2, server)))
      const [, hold] = String(await server.command('GET', 'beat'))
        .split(':')
        .map(Number)
      assert.ok(hold! >= back - leaseMs / 2 + leaseMs, 'held for one lease from the first beat on')
    })
  }

  test('[11] a host whose clock is ten minutes off beats by the clock of Redis', async (t) => {
    const { connection } = await connected(t, { redis: redis.url })
    const beat = new SharedBeat(connection, 'shifted', leaseMs)
    for (const shift of [600_000, -600_000]) {
      const args = [redis.url, 'shifted', String(leaseMs)]
      const child = spawnNode(new URL('./programs/beat.js', import.meta.url), { args, ...shiftDate(shift) }, t)
      const [, at, there] = await child.waitForLine(/^beat (\d+) here it is (\d+)/)
      assert.ok(Math.abs(Number(there) - Number(at) - shift) < 60_000, 'its own clock is wrong')
      const since = await redisNow()
      assert.ok(Math.abs(since - Number(at)) < 60_000, 'its beat is right')
      await until(() => beat.mayExpire(), patience)
      child.kill('SIGKILL')
      await child.exited
      await until(async () => !(await beat.mayExpire()))
    }
  })

  test('a beat gets through when memory is full, and leaves nothing behind for ever', async (t) => {
    const server = await startRedis({ config: { maxmemory: '1', 'maxmemory-policy': 'noeviction' } }, t)
    const { connection } = await connected(t, { redis: server.url })
    const beat = new SharedBeat(connection, 'full', leaseMs)
    await beat.record()
    const ttl = Number(await server.command('PTTL', 'full'))
    assert.ok(ttl > leaseMs && ttl <= 4 * leaseMs)
  })

  test('what is no record, or one of another release, counts as none', async (t) => {
    const { connection } = await connected(t, { redis: redis.url })
    const beat = new SharedBeat(connection, 'strange', leaseMs)
    for (const record of ['', 'x', '1:2:3', '-1:5', '9'.repeat(400)]) {
      await redis.command('SET', 'strange', record)
      assert.equal(await beat.mayExpire(), false)
      const at = await beat.record()
      assert.equal(await redis.command('GET', 'strange'), `${at}:${at + leaseMs}`)
    }
  })

  test('scripts of a package can ask and beat in the same step', async (t) => {
    const { connection } = await connected(t, { redis: redis.url })
    const heartbeat = defineScript({
      name: 'heartbeat',
      keys: ['beat_key'],
      args: ['lease_ms'],
      lua: `${sharedBeatLua}
local before = may_expire(beat_key, tonumber(lease_ms))
local at = beat(beat_key, tonumber(lease_ms))
return {before and 1 or 0, at, may_expire(beat_key, tonumber(lease_ms)) and 1 or 0}`,
    })
    const [before, at, after] = await connection.run<[number, number, number]>(heartbeat, ['inside'], [1])
    assert.deepEqual([before, after], [0, 0])
    assert.ok(Math.abs(at - (await redisNow())) < 60_000)
  })

  test('the store in memory keeps beats too', async (t) => {
    const { connection } = await connected(t, {})
    const beat = new SharedBeat(connection, 'embedded', leaseMs)
    assert.equal(await beat.mayExpire(), false)
    await until(async () => {
      await beat.record()
      return beat.mayExpire()
    }, patience)
  })
})
