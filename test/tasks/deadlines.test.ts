// A Redis that says nothing: every call is told in its time, however many wait before it, and the process is not ready.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lifecycleOf } from 'fastify-ah-kit'
import { startProxy, startRedis, until } from 'fastify-ah-test-support'
import { openApp } from './open-tasks.ts'

interface Told {
  readonly n: number
  readonly code: string | undefined
  readonly afterMs: number
}

test('[2] [45] a black hole: calls that pile up are each told within 5 s, none that was not sent ever runs, and not ready meanwhile', {
  timeout: 60_000,
}, async (t) => {
  const redis = await startRedis({}, t)
  const hole = await startProxy({ target: redis }, t)
  const ran: number[] = []
  const define = [
    { name: 'note', run: (n: number) => void ran.push(n) },
    { name: 'fails', run: () => Promise.reject(new Error('no')) },
  ]
  const options = { redis: hole.url, maxTaskProcessors: 2, scheduler: true, define: define as never }
  const app = await openApp(options, t)
  const { tasks } = app
  let calls = 0
  const told = async (call: (n: number) => Promise<unknown>): Promise<Told> => {
    calls += 1
    const [n, from] = [calls, performance.now()]
    const code = await call(n).then(
      () => undefined,
      (error: { code: string }) => error.code,
    )
    return { n, code, afterMs: Math.round(performance.now() - from) }
  }
  const load = (): Promise<Told>[] => [
    told((n) => tasks.enqueue('note', n)),
    told((n) => tasks.enqueue('note', n, { id: `job ${n}`, track: true })),
    told((n) => tasks.enqueueIn(1_000, 'note', n)),
    // More than leave in one batch.
    told((n) => tasks.enqueueMany(Array.from({ length: 600 }, () => ({ name: 'note', inputs: n })))),
    told(() => tasks.pause('another')),
    told(() => tasks.failed(0, 10)),
  ]
  await tasks.enqueueMany([1, 2, 3, 4].map((n) => ({ name: 'fails', inputs: n })))
  await until(async () => (await tasks.failedCount()) === 4)
  await tasks.pause('default')
  const entries = await tasks.failed(0, -1)
  assert.equal((await lifecycleOf(app).readiness()).ready, true)

  hole.swallow()
  const waiting = entries.map((entry) => told(() => tasks.retryAndRemoveFailed(entry)))
  for (let round = 0; round < 4; round += 1) {
    waiting.push(...load())
    // The load goes on while nothing is answered.
    await sleep(400)
  }
  await until(async () => !(await lifecycleOf(app).readiness()).ready, { deadlineMs: 6_000 })
  const outcomes = await Promise.all(waiting)
  for (const { n, code, afterMs } of outcomes) {
    assert.match(String(code), /^AH_KIT_REDIS_(DOWN|TIMEOUT|UNCERTAIN)$/, `call ${n}`)
    // 5 s, and what a busy machine adds; those that add up their times take 10 at least.
    assert.ok(afterMs < 8_000, `call ${n} was told ${code} after ${afterMs} ms`)
  }
  assert.equal((await lifecycleOf(app).readiness()).ready, false)

  hole.pass()
  await until(async () => (await lifecycleOf(app).readiness()).ready, { deadlineMs: 10_000 })
  await until(() => tasks.resume('default').then(() => true))
  await until(() => tasks.enqueue('note', -1), { deadlineMs: 8_000 })
  await until(() => ran.includes(-1), { deadlineMs: 8_000 })
  const down = new Set(outcomes.filter(({ code }) => code === 'AH_KIT_REDIS_DOWN').map(({ n }) => n))
  assert.ok(down.size > 0)
  assert.deepEqual(
    ran.filter((n) => down.has(n)),
    [],
    'what is said to be down was never sent',
  )
})
