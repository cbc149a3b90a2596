// Nodes that are processes: they outlive Redis, die, and have wrong clocks.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { lifecycleOf } from 'fastify-ah-kit'
import { scaled, shiftDate, startRedis, until } from 'fastify-ah-test-support'
import { startNode } from './node-process.ts'
import { openApp, openPubSub } from './open-pubsub.ts'

describe('Redis restarted', () => {
  test('[21] all subscriptions of four processes resume, and each process reports the gap', async (t) => {
    const redis = await startRedis({}, t)
    const options = { redis: redis.url, prefix: 'restart:', probeMs: 100 }
    const nodes = await Promise.all([1, 2, 3, 4].map(() => startNode(options, t)))
    const each = scaled(250, 25)
    const channels = Array.from({ length: each }, (_, index) => `/c/${index}`)
    await Promise.all(nodes.map((node) => node.ask('subscribe', ...channels.slice(1), '/c/*')))
    await redis.restart()
    const expected = [...channels.slice(1), '/c/*'].sort()
    for (const node of nodes) {
      const gaps: string[] = []
      await until(async () => {
        for (const { channels: missed, reason } of (await node.seen()).gaps) {
          assert.equal(reason, 'connection')
          gaps.push(...missed.filter((channel) => channel.startsWith('/c/')))
        }
        return gaps.length >= expected.length
      })
      assert.deepEqual(gaps.sort(), expected)
      await until(() => node.ask('ready'), { deadlineMs: 5_000 })
    }
    for (const channel of channels) await nodes[0]?.ask('publish', channel, 'after')
    for (const node of nodes) {
      const heard = new Set<string>()
      await until(async () => {
        for (const one of (await node.seen()).heard) heard.add(String(one))
        return heard.size === each - 1 + 1
      })
    }
    for (const { process } of nodes) await process.assertNothingUnhandled()
  })
})

describe('a node that dies', () => {
  const leaseMs = 600

  test('killed with -9 it is gone from nodes() within its lease, and leaves once', async (t) => {
    const redis = await startRedis({}, t)
    const options = { redis: redis.url, leaseMs }
    const one = await openPubSub(options, t)
    const left: string[] = []
    one.on('nodeLeft', ({ id }) => left.push(id))
    const [dies, stays] = await Promise.all([startNode(options, t), startNode(options, t)])
    await until(async () => (await one.nodes()).length === 3)
    // A lease may end only after a whole one of regular signs of life.
    await until(
      async () => Number(String(await redis.command('GET', 'actionhero:node-beat:list')).split(':')[1]) < Date.now(),
    )
    dies.process.kill('SIGKILL')
    await dies.process.exited
    await until(async () => (await one.nodes()).length === 2, { deadlineMs: leaseMs + 200 })
    assert.deepEqual((await one.nodes()).map(({ id }) => id).sort(), [one.id, stays.id].sort())
    await until(async () => (await stays.seen()).left.length === 1)
    await until(() => left.length === 1)
    assert.deepEqual([left, (await stays.seen()).left], [[dies.id], [dies.id]])
    await assert.rejects(one.call('who', undefined, { node: dies.id }), { code: 'AH_PUBSUB_NODE_GONE' })
  })

  test('where its death is announced it is gone at once, from the list and for those who wait for its answer', async (t) => {
    const redis = await startRedis({}, t)
    const options = { redis: redis.url, leaseMs: 60_000 }
    const app = await openApp(options, t)
    const other = await openPubSub(options, t)
    const left: string[] = []
    other.on('nodeLeft', ({ id }) => left.push(id))
    const dies = await startNode(options, t, { AH_BOOT_ID: 'the-boot-id' })
    assert.equal(dies.id, 'the-boot-id')
    await until(() => app.pubsub.call('who', undefined, { node: dies.id }))
    const waiting = app.pubsub
      .call('hangs', undefined, { node: dies.id, timeoutMs: 60_000 })
      .catch((error: NodeJS.ErrnoException) => error.code)
    await until(() => app.pubsub.stats().pendingCalls === 1)
    dies.process.kill('SIGKILL')
    await dies.process.exited
    const death = { bootId: 'the-boot-id', pid: dies.process.pid, cause: 'crashed' } as const
    assert.deepEqual(lifecycleOf(app).announcePeerDeath(death), [])
    assert.equal(await waiting, 'AH_PUBSUB_NODE_GONE')
    await until(() => left.length === 1, { deadlineMs: 1_000 })
    assert.deepEqual(left, [dies.id], 'those of other hosts hear of it through Redis')
    assert.equal((await other.nodes()).length, 2)
    assert.equal(app.pubsub.stats().pendingCalls, 0)
  })

  test('[26] one of four nodes dies during a call of all: three answers, and the fourth is named', async (t) => {
    const redis = await startRedis({}, t)
    const options = { redis: redis.url, leaseMs: 60_000 }
    const app = await openApp(options, t)
    app.pubsub.handle('who', () => app.pubsub.id)
    const [one, two, dies] = await Promise.all([1, 2, 3].map(() => startNode(options, t)))
    await until(async () => (await app.pubsub.nodes()).length === 4)
    dies!.process.kill('SIGKILL')
    await dies!.process.exited
    const answers = await app.pubsub.callAll('who', undefined, { timeoutMs: 500 })
    const results = answers.flatMap((answer) => ('result' in answer ? [answer.result] : []))
    assert.deepEqual(results.sort(), [app.pubsub.id, one!.id, two!.id].sort())
    const missing = answers.find((answer) => 'error' in answer)
    assert.equal(missing?.node, dies?.id)
    assert.equal((missing as { error: NodeJS.ErrnoException }).error.code, 'AH_PUBSUB_CALL_TIMEOUT')
    assert.equal(app.pubsub.stats().pendingCalls, 0)
  })
})

describe('clocks', () => {
  test('[11] a node whose clock is off by ten minutes, either way, is understood and understands', async (t) => {
    const redis = await startRedis({}, t)
    const options = { redis: redis.url, leaseMs: 600 }
    const one = await openPubSub(options, t)
    const heard: unknown[] = []
    await one.internal.subscribe('/actionhero/app/x', (data, { at }) =>
      heard.push([data, Math.abs(at - Date.now()) < 5_000]),
    )
    const left: string[] = []
    one.on('nodeLeft', ({ id }) => left.push(id))
    one.handle('here', () => 'answered')
    for (const ms of [-600_000, 600_000]) {
      const other = await startNode(options, t, shiftDate(ms).env)
      assert.equal(await other.ask('call', 'here', one.id), 'answered')
      assert.equal(await one.call('who', undefined, { node: other.id }), other.id)
      await other.ask('publishInternal', '/actionhero/app/x', ms)
      await until(() => heard.length > 0)
      assert.deepEqual(heard.splice(0), [[ms, true]])
    }
    // Time is the subject: leases would end.
    const before = await redis.command('TIME')
    await until(
      async () => Number(((await redis.command('TIME')) as string[])[0]) > Number((before as string[])[0]) + 1,
    )
    assert.equal((await one.nodes()).length, 3)
    assert.deepEqual(left, [])
    assert.equal(one.stats().dropped.late, 0)
  })
})
