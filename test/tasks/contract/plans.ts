// The contract of what is planned: delayed, to the millisecond, recurring; and of looking at it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from 'fastify-ah-test-support'
import { freshNamespace, type TasksUnderTest } from './tasks-under-test.ts'

export function planContract({ open, redis, key }: TasksUnderTest): void {
  test('a delayed job starts when its time has come, not before; one with an id to the millisecond', async (t) => {
    const started: [unknown, number][] = []
    const note = { name: 'note', run: (given: unknown) => void started.push([given, Date.now()]) }
    const tasks = await open({ namespace: freshNamespace(), maxTaskProcessors: 2, scheduler: true, define: [note] }, t)
    const now = Date.now()
    await tasks.enqueue('note', 'exact', { delayMs: 300, id: 'exact' })
    // An earlier one, while the scheduler sleeps.
    await tasks.enqueue('note', 'earlier', { at: now + 100, id: 'earlier' })
    await tasks.enqueueIn(1_000, 'note', 'bare')
    await until(() => started.length === 3, { deadlineMs: 10_000 })
    assert.deepEqual(
      started.map(([given]) => given),
      ['earlier', 'exact', 'bare'],
    )
    assert.ok(started[0]![1] >= now + 100)
    assert.ok(started[1]![1] >= now + 300)
    // To the second, as Resque has it.
    assert.ok(started[2]![1] >= now + 500)
    assert.deepEqual(await tasks.timestamps(), [])
  })

  test('what is planned is listed and removed, bare or with an id', async (t) => {
    const namespace = freshNamespace()
    const tasks = await open({ namespace, define: [{ name: 'noop', run: () => undefined }] }, t)
    const at = (Math.floor(Date.now() / 1_000) + 100) * 1_000
    await tasks.enqueueAt(at, 'noop', { a: 1 })
    await tasks.enqueueAt(at + 5_000, 'noop', { a: 1 })
    await tasks.enqueueAt(new Date(at), 'noop', { a: 1 }, { id: 'x' })
    await tasks.enqueueAt(at, 'noop', { a: 2 }, 'other')
    assert.deepEqual(await tasks.timestamps(), [at, at + 5_000])
    assert.deepEqual((await tasks.scheduledAt('default', 'noop', { a: 1 })).sort(), [at / 1e3, at / 1e3, at / 1e3 + 5])
    const { tasks: found, rTimestamp } = await tasks.delayedAt(at)
    assert.equal(rTimestamp, at / 1_000)
    assert.deepEqual(
      found.map(({ queue, args }) => [queue, args]),
      [
        ['default', [{ a: 1 }]],
        ['other', [{ a: 2 }]],
        ['default', [{ a: 1 }]],
      ],
    )
    assert.deepEqual(Object.keys(await tasks.allDelayed()), [String(at), String(at + 5_000)])
    assert.equal((await tasks.details()).delayed, 4)
    assert.deepEqual((await tasks.delDelayed('default', 'noop', { a: 1 })).sort(), [at / 1e3, at / 1e3, at / 1e3 + 5])
    assert.deepEqual(await tasks.delDelayed('other', 'noop', { a: 2 }), [at / 1e3])
    assert.equal((await tasks.details()).delayed, 0)
    for (const name of ['delayed_queue_schedule', 'ah:scheduled', 'ah:scheduled-jobs']) {
      assert.equal(await redis.exists(key(namespace, name)), 0, name)
    }
  })

  test('a recurring task runs at each of its ticks, once however many may schedule', async (t) => {
    const ticks: number[] = []
    const often = { name: 'often', frequencyMs: 250, run: () => void ticks.push(Date.now()) }
    const namespace = freshNamespace()
    const options = { namespace, maxTaskProcessors: 2, scheduler: true, define: [often] }
    const first = await open(options, t)
    await open(options, t)
    await until(() => ticks.length >= 6, { deadlineMs: 10_000 })
    const after = ticks.slice(1)
    for (const [index, at] of after.entries()) {
      // The grid of the clock: no two in one period, and none long before its tick.
      if (index > 0) assert.ok(Math.floor(at / 250) > Math.floor((after[index - 1] ?? 0) / 250), `${after}`)
    }
    assert.ok((await first.stopRecurrentTask('often')) >= 0)
    const count = ticks.length
    // That nothing comes is the subject.
    await sleep(800)
    assert.ok(ticks.length <= count + 1)
    await first.enqueueRecurrentTask('often')
    await until(() => ticks.length > count + 1, { deadlineMs: 5_000 })
  })

  test('a recurring task has no second job while its first waits', async (t) => {
    const namespace = freshNamespace()
    const often = { name: 'often', frequencyMs: 100, run: () => undefined }
    const tasks = await open({ namespace, scheduler: true, define: [often] }, t)
    await until(async () => (await tasks.length('default')) === 1)
    // That no second one comes is the subject.
    await sleep(600)
    assert.equal(await tasks.length('default'), 1)
    assert.deepEqual(await tasks.enqueueAllRecurrentTasks(), [])
    assert.equal(await tasks.stopRecurrentTask('often'), 1)
    assert.deepEqual(await tasks.enqueueAllRecurrentTasks(), ['often'])
    await assert.rejects(tasks.stopRecurrentTask('nope'), { code: 'AH_TASKS_UNKNOWN' })
  })
}
