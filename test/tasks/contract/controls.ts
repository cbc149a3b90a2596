// The contract of jobs that are watched, limited, cancelled, paused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobContext, JobEvent } from 'fastify-ah-tasks'
import { until } from 'fastify-ah-test-support'
import { freshNamespace, type TasksUnderTest } from './tasks-under-test.ts'

export function controlContract({ open, redis, key }: TasksUnderTest): void {
  test('a tracked job tells its state, its progress and its outcome', async (t) => {
    let go = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const slow = {
      name: 'slow',
      run: async ({ fails }: { fails?: boolean }, { progress }: JobContext) => {
        await progress({ done: 50 })
        await gate
        if (fails) throw new TypeError('no')
        return { sum: [] }
      },
    }
    const tasks = await open({ namespace: freshNamespace(), maxTaskProcessors: 1, define: [slow] as never }, t)
    await tasks.pause('default')
    await tasks.enqueue('slow', {}, { track: true, id: 'a' })
    await tasks.enqueue('slow', { fails: true }, { track: true, id: 'b' })
    assert.deepEqual(await tasks.track('a'), { id: 'a', state: 'waiting' })
    await assert.rejects(tasks.waitFor('a', { timeoutMs: 20 }), { code: 'AH_TASKS_WAIT_TIMEOUT' })
    await tasks.resume('default')
    await until(async () => (await tasks.track('a'))?.progress !== undefined)
    assert.deepEqual(await tasks.track('a'), { id: 'a', state: 'running', progress: { done: 50 } })
    go()
    assert.deepEqual(await tasks.waitFor('a'), { sum: [] })
    await assert.rejects(tasks.waitFor('b'), { code: 'AH_TASKS_FAILED', message: /no$/ })
    assert.deepEqual((await tasks.track('b'))?.error, { name: 'TypeError', message: 'no' })
    assert.equal(await tasks.track('c'), undefined)
    await assert.rejects(tasks.waitFor('c'), { code: 'AH_TASKS_NOT_TRACKED' })
  })

  test('a job is cancelled where it waits, where it is planned, and where it runs', async (t) => {
    const seen: unknown[] = []
    const hold = {
      name: 'hold',
      run: async (given: unknown, { signal }: JobContext) => {
        seen.push(given)
        await sleep(30_000, undefined, { signal }).catch(() => undefined)
      },
    }
    const note = { name: 'note', run: (given: unknown) => void seen.push(given) }
    const namespace = freshNamespace()
    const tasks = await open({ namespace, maxTaskProcessors: 1, scheduler: true, define: [hold, note] }, t)
    const cancelled: JobEvent[] = []
    tasks.on('cancelled', (event) => cancelled.push(event))
    await tasks.enqueue('hold', 'running', { id: 'running', track: true })
    await until(() => seen.length === 1)
    await tasks.enqueue('note', 'waiting', { id: 'waiting', track: true })
    await tasks.enqueue('note', 'planned', { id: 'planned', track: true, delayMs: 60_000 })
    await tasks.enqueue('note', 'spared', { id: 'spared' })
    assert.equal(await tasks.cancel('planned'), true)
    assert.equal((await tasks.track('planned'))?.state, 'cancelled')
    assert.deepEqual(await tasks.timestamps(), [])
    assert.equal(await tasks.cancel('waiting'), true)
    assert.equal(await tasks.cancel('running'), true)
    await until(() => seen.length === 2)
    assert.deepEqual(seen, ['running', 'spared'])
    assert.deepEqual(cancelled.map(({ id }) => id).sort(), ['running', 'waiting'])
    await until(async () => (await tasks.track('running'))?.state === 'cancelled')
    await until(async () => (await tasks.track('waiting'))?.state === 'cancelled')
    await assert.rejects(tasks.waitFor('waiting'), { code: 'AH_TASKS_FAILED' })
    assert.equal(await redis.exists(key(namespace, 'ah:cancelled')), 0)
    assert.equal(await tasks.failedCount(), 0)
  })

  test('no more jobs of a concurrency key run at a time than it allows, in all processes together', async (t) => {
    const running = new Map<string, number>()
    let most = 0
    let done = 0
    const limited = {
      name: 'limited',
      concurrency: { max: 2, key: ({ user }: { user: string }) => user },
      run: async ({ user }: { user: string }) => {
        const count = (running.get(user) ?? 0) + 1
        running.set(user, count)
        most = Math.max(most, count)
        // Work that takes a while: others could come meanwhile.
        await sleep(5)
        running.set(user, (running.get(user) ?? 0) - 1)
        done += 1
      },
    }
    const namespace = freshNamespace()
    const options = { namespace, minTaskProcessors: 6, maxTaskProcessors: 6, define: [limited] as never }
    const tasks = await open(options, t)
    await open(options, t)
    await tasks.enqueueMany(Array.from({ length: 60 }, (_, n) => ({ name: 'limited', inputs: { user: `u${n % 2}` } })))
    await until(() => done === 60, { deadlineMs: 15_000 })
    assert.equal(most, 2)
    await until(async () => (await tasks.stats())['processed'] === '60')
    const { queues } = await tasks.details()
    assert.deepEqual(queues, { default: { length: 0, parked: 0, paused: false } })
    for (const name of ['ah:slots:limited:u0', 'ah:parked:limited:u0', 'ah:parked-counts']) {
      assert.equal(await redis.exists(key(namespace, name)), 0, name)
    }
  })

  test('a paused queue is not worked, the others are; resumed it is at once', async (t) => {
    const seen: unknown[] = []
    const note = { name: 'note', run: (given: unknown) => void seen.push(given) }
    const tasks = await open({ namespace: freshNamespace(), maxTaskProcessors: 2, pollMs: 5_000, define: [note] }, t)
    await tasks.pause('a')
    await tasks.enqueue('note', 'a', 'a')
    await tasks.enqueue('note', 'b', 'b')
    await until(() => seen.length === 1)
    assert.deepEqual(seen, ['b'])
    assert.equal((await tasks.details()).queues['a']?.paused, true)
    await tasks.resume('a')
    await until(() => seen.length === 2, { deadlineMs: 2_000 })
  })

  test('queues are served in the order in which they are named', async (t) => {
    const seen: unknown[] = []
    const note = { name: 'note', run: (given: unknown) => void seen.push(given) }
    const namespace = freshNamespace()
    const producer = await open({ namespace, define: [note] }, t)
    await producer.enqueueMany(
      ['c', 'a', 'high', 'b'].map((queue) => ({ name: 'note', inputs: queue, options: { queue } })),
    )
    const options = { minTaskProcessors: 1, maxTaskProcessors: 1, queues: async () => ['high', '*', 'a'] }
    await open({ namespace, ...options, define: [note] }, t)
    await until(() => seen.length === 4)
    assert.deepEqual(seen, ['high', 'b', 'c', 'a'])
  })
}
