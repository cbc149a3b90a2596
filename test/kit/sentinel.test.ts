// A Redis behind Sentinel: its master killed, frozen, demoted, and all sentinels away.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { lifecycleOf } from 'fastify-ah-kit'
import { defineGuardedScript, RepeatGuard } from 'fastify-ah-kit/redis'
import { atEnd, type RedisSentinel, startSentinel, until } from 'fastify-ah-test-support'
import { Redis } from 'ioredis'
import { connected, outcomeOf } from './app.ts'

const downAfterMs = 1000

/** FAULTS 4: work resumes within down-after and 5 s; a failover of Sentinel itself takes a second or two of these. */
const backMs = downAfterMs + 5000

const push = defineGuardedScript({
  name: 'push',
  keys: ['list'],
  args: ['item'],
  lua: `return redis.call('RPUSH', list, item)`,
})

const kinds = ['our client', 'a client that was handed in'] as const

/** An app that pushes item after item through a client of that kind, and notes what became of each. */
async function startWorker(t: TestContext, sentinel: RedisSentinel, kind: (typeof kinds)[number]) {
  const { sentinels, name } = sentinel
  // The client that was handed in knows nothing of failovers by itself.
  const redis = kind === 'our client' ? { sentinels, name } : sentinel.client({ failoverDetector: false })
  const { connection, app } = await connected(t, { redis, deadlineMs: 1000 })
  const list = `list of ${kind}`
  const guard = new RepeatGuard(connection)
  const outcomes = new Map<string, unknown>()
  let isOver = false
  const work = (async () => {
    for (let i = 0; !isOver; i++) {
      const outcome = await outcomeOf(guard.run(push, `record of ${list}`, [list], [String(i)]))
      outcomes.set(String(i), outcome)
      // A closed connection rejects at once: without a turn of the event loop a failed test would never end.
      await setImmediate()
    }
  })()
  // Before the app is closed.
  atEnd(t, async () => {
    isOver = true
    await work
  })
  const done = () => [...outcomes.values()].filter((outcome) => typeof outcome === 'number').length
  return {
    connection,
    isReady: async () => (await lifecycleOf(app).readiness()).ready,
    async goesOn(): Promise<void> {
      const before = done()
      await until(() => done() > before + 50, { deadlineMs: backMs, what: `work with ${kind}` })
    },
    /** Ends the work; answers the items in the list, and what became of each item. */
    async end() {
      isOver = true
      await work
      return { items: await connection.read<string[]>('LRANGE', [list, 0, -1]), outcomes }
    },
  }
}

function startWorkers(t: TestContext, sentinel: RedisSentinel) {
  return Promise.all(kinds.map((kind) => startWorker(t, sentinel, kind)))
}

// Each has servers of its own: after a failover it takes Sentinel ten seconds to know them all again.
describe('sentinel', { concurrency: true }, () => {
  for (const fault of ['killed', 'frozen'] as const) {
    test(`[4] a master that is ${fault} under load: work goes on with the next one, nothing is applied twice`, async (t) => {
      const sentinel = await startSentinel({ downAfterMs }, t)
      const workers = await startWorkers(t, sentinel)
      await Promise.all(workers.map((worker) => worker.goesOn()))
      await (fault === 'killed' ? sentinel.killMaster() : sentinel.pauseMaster())
      await Promise.all(workers.map((worker) => until(async () => !(await worker.isReady()))))
      await Promise.all(workers.map((worker) => worker.goesOn()))
      await Promise.all(workers.map((worker) => until(worker.isReady)))
      for (const worker of workers) {
        const { items, outcomes } = await worker.end()
        assert.equal(new Set(items).size, items.length)
        const found = new Set(items)
        for (const [item, outcome] of outcomes) {
          const isKnown = typeof outcome === 'number' || /^AH_KIT_REDIS_(DOWN|UNCERTAIN)$/.test(String(outcome))
          assert.ok(isKnown, `${item}: ${outcome}`)
          if (outcome === 'AH_KIT_REDIS_DOWN') assert.ok(!found.has(item), `${item} was applied`)
        }
      }
    })
  }

  test('[4] a master that is only demoted: its connection is left, and nothing is lost', async (t) => {
    const sentinel = await startSentinel({ downAfterMs }, t)
    const workers = await startWorkers(t, sentinel)
    await Promise.all(workers.map((worker) => worker.goesOn()))
    await sentinel.demoteMaster()
    await Promise.all(workers.map((worker) => worker.goesOn()))
    for (const worker of workers) {
      const { items, outcomes } = await worker.end()
      const applied = [...outcomes].filter(([, outcome]) => typeof outcome === 'number').map(([item]) => item)
      assert.deepEqual(items, applied)
    }
  })

  test('[4] all sentinels away: work goes on, and a failover after their return is followed', async (t) => {
    const sentinel = await startSentinel({ downAfterMs }, t)
    const workers = await startWorkers(t, sentinel)
    await sentinel.stopSentinels()
    await Promise.all(workers.map((worker) => worker.goesOn()))
    await sentinel.startSentinels()
    // Without each other, or without a replica that they have seen, they could not elect anybody once the master is gone.
    await Promise.all(sentinel.sentinels.map((at) => untilAble(at, sentinel.name)))
    await sentinel.killMaster()
    // They have just come back, and look for a while before they believe that a master is down.
    await Promise.all(workers.map((worker) => until(() => worker.goesOn().then(() => true), { deadlineMs: 30_000 })))
    for (const worker of workers) await worker.end()
  })

  test("[4] connections of one's own follow the master too, and closing leaves none behind", async (t) => {
    const sentinel = await startSentinel({ downAfterMs }, t)
    const { sentinels, name } = sentinel
    const { connection } = await connected(t, { redis: { sentinels, name } })
    const blocking = connection.dedicated('blocking')
    const heard: string[] = []
    connection.dedicated('subscriber', (client) => {
      client.on('message', (_channel, text) => void heard.push(text))
      void client.subscribe('news')
    })
    const pop = () => blocking.wait('BLPOP', (client) => client.call('blpop', ['to pop', 1]), 1500)
    assert.equal(await pop(), null)
    await sentinel.pauseMaster()
    await until(async () => (await outcomeOf(pop())) === null, { deadlineMs: backMs })
    await connection.write('RPUSH', ['to pop', 'x'])
    assert.deepEqual(await pop(), ['to pop', 'x'])
    await until(
      async () => {
        await connection.write('PUBLISH', ['news', 'from the next master'])
        return heard.includes('from the next master')
      },
      { deadlineMs: backMs },
    )
    await connection.close()
    // Also those that listened for failovers.
    const ports = new Set(sentinels.map(({ port }) => port))
    await until(() => openSockets().every((port) => !ports.has(port)))
  })
})

/** The remote ports of this process's TCP sockets. */
function openSockets(): number[] {
  const handles = (process as unknown as { _getActiveHandles(): { remotePort?: number }[] })._getActiveHandles()
  return handles.flatMap(({ remotePort }) => (remotePort === undefined ? [] : [remotePort]))
}

async function untilAble(at: { host: string; port: number }, name: string): Promise<void> {
  const client = new Redis({ ...at, retryStrategy: null })
  try {
    await until(async () => {
      const quorum = String(await client.call('SENTINEL', 'CKQUORUM', name))
      const replicas = JSON.stringify(await client.call('SENTINEL', 'REPLICAS', name))
      return quorum.startsWith('OK 3') && replicas.includes('"flags","slave"')
    })
  } finally {
    client.disconnect()
  }
}
