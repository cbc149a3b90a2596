// Redis stopped and started, connections killed: what was applied is told from what was not, and all goes on by itself.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lifecycleOf } from 'fastify-ah-kit'
import { defineGuardedScript, RepeatGuard } from 'fastify-ah-kit/redis'
import { atEnd, type RedisServer, scaled, startRedis, until } from 'fastify-ah-test-support'
import { connected, outcomeOf } from './app.ts'

const redis = await startRedis({ appendfsyncAlways: true }, test)

/** FAULTS 1: all works again within 5 s of Redis being ready. */
const backMs = 5000

const kinds = ['our client', 'a client that was handed in'] as const

/** The `redis` option for a client of that kind to the server. */
function optionFor(kind: (typeof kinds)[number], server: RedisServer) {
  return kind === 'our client' ? server.url : server.client()
}

const push = defineGuardedScript({
  name: 'push',
  keys: ['list'],
  args: ['item'],
  lua: `return redis.call('RPUSH', list, item)`,
})

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

// Each has a server of its own, and waits for outages.
describe('outage', { concurrency: true }, () => {
  for (const kind of kinds) {
    test(`[1] Redis stopped and started while idle: not ready meanwhile, then all works again, with ${kind}`, async (t) => {
      const redis = await startRedis({ appendfsyncAlways: true }, t)
      const { connection, app, lines } = await connected(t, { redis: optionFor(kind, redis) })
      const { client } = connection
      const listeners = () => client.eventNames().map((name) => [name, client.listenerCount(name)])
      const before = listeners()
      for (const [index, ms] of [1000, 5000, 30_000].entries()) {
        await redis.stop()
        await until(async () => !(await lifecycleOf(app).readiness()).ready)
        await until(() => lines().length === index * 2 + 1, { what: 'the outage is in the log' })
        // How long it lasts is the subject.
        await sleep(scaled(ms))
        await redis.restart()
        await until(() => connection.isAnswering().then((answer) => answer === true), { deadlineMs: backMs })
        assert.equal(await connection.write('SET', ['outage', String(ms)]), 'OK')
        assert.equal(await connection.read('GET', ['outage']), String(ms))
        assert.equal((await lifecycleOf(app).readiness()).ready, true)
      }
      assert.deepEqual(listeners(), before)
      const told = lines().map(({ msg }) => msg)
      assert.deepEqual(
        told,
        Array(3).fill(['the connection to Redis has an error', 'Redis is back']).flat(),
        'one line an outage and one for its end',
      )
    })

    test(`[1] an outage shorter than the deadline fails no call, with ${kind}`, async (t) => {
      const redis = await startRedis({ appendfsyncAlways: true }, t)
      const { connection } = await connected(t, { redis: optionFor(kind, redis) })
      let isOver = false
      // Also when the test fails: after the close every call is refused at once, and the loop would let nothing else run.
      atEnd(t, () => {
        isOver = true
      })
      let calls = 0
      const callers = Array.from({ length: 20 }, async (_, caller) => {
        for (let i = 0; !isOver; i++) {
          const name = `worker-${caller}`
          assert.equal(await connection.write('SET', [name, String(i)]), 'OK')
          assert.equal(await connection.read('GET', [name]), String(i))
          calls += 2
        }
      })
      const work = Promise.all(callers)
      for (let outage = 0; outage < 2; outage++) {
        await until(() => calls > 200)
        await redis.stop()
        await redis.restart()
        calls = 0
      }
      await until(() => calls > 200, { deadlineMs: backMs })
      isOver = true
      await work
    })

    test(`[1] an outage in the middle of work: what was answered is applied once, what is down never, with ${kind}`, async (t) => {
      const redis = await startRedis({ appendfsyncAlways: true }, t)
      const { connection } = await connected(t, { redis: optionFor(kind, redis), deadlineMs: 200 })
      const guard = new RepeatGuard(connection)
      const outcomes = new Map<string, number | string>()
      let isOver = false
      // Also when the test fails: after the close every call is refused at once, and the loop would let nothing else run.
      atEnd(t, () => {
        isOver = true
      })
      const callers = Array.from({ length: 5 }, async (_, caller) => {
        for (let i = 0; !isOver; i++) {
          const item = `${caller}-${i}`
          outcomes.set(item, await outcomeOf(guard.run<number>(push, `record-${caller}`, ['work'], [item])))
        }
      })
      const done = () => [...outcomes.values()].filter((outcome) => typeof outcome === 'number').length
      for (const ms of [1000, 5000, 30_000]) {
        const before = done()
        await until(() => done() > before + 20)
        await redis.stop()
        // How long it lasts is the subject: here longer than the deadline.
        await sleep(scaled(ms, 300))
        await redis.restart()
        const again = done()
        await until(() => done() > again + 20, { deadlineMs: backMs })
      }
      isOver = true
      await Promise.all(callers)
      const applied = (await redis.command('LRANGE', 'work', 0, -1)) as string[]
      assert.equal(new Set(applied).size, applied.length, 'nothing is applied twice')
      const found = new Set(applied)
      for (const [item, outcome] of outcomes) {
        if (typeof outcome === 'number') assert.ok(found.has(item), `${item} was answered`)
        else if (outcome === 'AH_KIT_REDIS_DOWN') assert.ok(!found.has(item), `${item} was not sent`)
        else assert.equal(outcome, 'AH_KIT_REDIS_UNCERTAIN')
      }
      assert.ok([...outcomes.values()].includes('AH_KIT_REDIS_DOWN'))
    })
  }
})

for (const kind of kinds) {
  test(`[1] while Redis is away calls are held back, and known to be unapplied at their deadline, with ${kind}`, async (t) => {
    const { connection } = await connected(t, { redis: optionFor(kind, redis), deadlineMs: 300 })
    const { client } = connection
    await redis.stop()
    await until(() => client.status !== 'ready')
    const timersBefore = timers()
    const started = performance.now()
    const outcomes = await Promise.all([
      outcomeOf(connection.read('GET', ['a'])),
      outcomeOf(connection.write('SET', ['never applied', '1'])),
      ...Array.from({ length: 1000 }, () => outcomeOf(connection.write('RPUSH', ['never applied either', '1']))),
    ])
    assert.deepEqual(new Set(outcomes), new Set(['AH_KIT_REDIS_DOWN']))
    // Deadlines are looked at every 50 ms, and kept: a call ends up to one look early.
    assert.ok(performance.now() - started >= 250)
    assert.ok(timers() <= timersBefore + 2, 'a thousand calls leave no timers')
    const held = Array.from({ length: 100 }, (_, i) => connection.write('RPUSH', ['held back', String(i)]))
    const answers = Promise.all(held.map(outcomeOf))
    await redis.restart()
    await until(() => connection.isAnswering().then((answer) => answer === true), { deadlineMs: backMs })
    assert.equal(await redis.command('EXISTS', 'never applied', 'never applied either'), 0)
    // Those that were held back until Redis was there went out, in the order of the calls; the others are unapplied.
    const applied = (await answers).flatMap((answer, i) => (answer === 'AH_KIT_REDIS_DOWN' ? [] : [String(i)]))
    assert.deepEqual(await redis.command('LRANGE', 'held back', 0, -1), applied)
    await redis.command('DEL', 'held back')
  })
}

test('[3] connections killed again and again under load: nothing is lost or applied twice', async (t) => {
  const add = defineGuardedScript({
    name: 'add',
    keys: ['sum'],
    args: ['amount'],
    lua: `return redis.call('INCRBY', sum, amount)`,
  })
  const { connection } = await connected(t, { redis: redis.url })
  const subscriber = connection.dedicated('subscriber')
  let heard = 0
  subscriber.client.on('message', () => {
    heard += 1
  })
  await subscriber.client.subscribe('news')
  const guard = new RepeatGuard(connection)
  let isOver = false
  // Also when the test fails: after the close every call is refused at once, and the loop would let nothing else run.
  atEnd(t, () => {
    isOver = true
  })
  const lanes = Array.from({ length: 8 }, async (_, lane) => {
    const answers: number[] = []
    while (!isOver) answers.push(await guard.run<number>(add, `guard-${lane}`, [`sum-${lane}`], [1]))
    return answers
  })
  for (let kill = 0; kill < scaled(30, 5); kill++) {
    const before = await redis.command('GET', 'sum-0')
    await redis.command('CLIENT', 'KILL', 'TYPE', kill % 2 === 0 ? 'normal' : 'pubsub')
    await until(async () => Number(await redis.command('GET', 'sum-0')) > Number(before) + 20)
  }
  isOver = true
  for (const [lane, answers] of (await Promise.all(lanes)).entries()) {
    assert.deepEqual(
      answers,
      answers.map((_, i) => i + 1),
    )
    assert.equal(await redis.command('GET', `sum-${lane}`), String(answers.length))
  }
  heard = 0
  await until(async () => Number(await redis.command('PUBLISH', 'news', 'x')) === 1, { deadlineMs: backMs })
  await until(() => heard > 0)
})
