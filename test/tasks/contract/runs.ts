// The contract of a run: what it gets, how it ends, what is recorded.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobContext, JobEvent } from 'fastify-ah-tasks'
import { until } from 'fastify-ah-test-support'
import { freshNamespace, type TasksUnderTest } from './tasks-under-test.ts'

export function runContract({ open, redis, key }: TasksUnderTest): void {
  test('a run knows its job', async (t) => {
    const seen: Partial<JobContext>[] = []
    const see = {
      name: 'see',
      run: (_: unknown, { id, attempt, queue, args, recovered, signal, app, log }: JobContext) => {
        seen.push({ id, attempt, queue, args, recovered })
        assert.equal(signal.aborted, false)
        assert.equal(typeof app.inject, 'function')
        assert.equal(typeof log.info, 'function')
      },
    }
    const tasks = await open({ namespace: freshNamespace(), maxTaskProcessors: 1, define: [see] }, t)
    await tasks.enqueue('see', { a: 1 }, 'mine')
    await until(() => seen.length === 1)
    await tasks.enqueue('see', { a: 2 }, { id: 'two' })
    await until(() => seen.length === 2)
    const common = { attempt: 1, recovered: false }
    assert.deepEqual(seen, [
      { ...common, id: undefined, queue: 'mine', args: [{ a: 1 }] },
      { ...common, id: 'two', queue: 'default', args: [{ a: 2 }] },
    ])
  })

  test('[36] whatever a run throws is a failure with a readable text', async (t) => {
    const thrown: unknown[] = [
      undefined,
      null,
      0,
      '',
      'a text',
      Object.freeze({ frozen: true }),
      Object.assign(new Error('hidden'), {
        toString() {
          throw new Error('no text')
        },
      }),
      Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('no message')
        },
      }),
      new RangeError('out of range'),
    ]
    const fail = {
      name: 'fail',
      run: (n: number) => {
        throw thrown[n]
      },
    }
    const reject = { name: 'reject', run: (n: number) => Promise.reject(thrown[n]) }
    const tasks = await open({ namespace: freshNamespace(), maxTaskProcessors: 3, define: [fail, reject] as never }, t)
    for (const n of thrown.keys()) await Promise.all([tasks.enqueue('fail', n), tasks.enqueue('reject', n)])
    await until(async () => (await tasks.failedCount()) === thrown.length * 2)
    const entries = await tasks.failed(0, -1)
    for (const { error, exception, backtrace } of entries) {
      assert.ok(typeof error === 'string' && typeof exception === 'string' && Array.isArray(backtrace))
    }
    const last = entries.filter(({ payload }) => payload.args?.[0] === 8)
    assert.deepEqual(
      last.map(({ exception, error }) => [exception, error]),
      [
        ['RangeError', 'out of range'],
        ['RangeError', 'out of range'],
      ],
    )
    assert.equal((await tasks.stats())['failed'], String(thrown.length * 2))
  })

  test('[35] what is no job that can be run goes to the failed list with its bytes, and the work goes on', async (t) => {
    const seen: unknown[] = []
    const namespace = freshNamespace()
    const note = { name: 'note', run: (given: unknown) => void seen.push(given) }
    const bad: (string | Buffer)[] = [
      'no json',
      '',
      'null',
      '7',
      '[]',
      '{}',
      '{"class":"","queue":"default","args":[]}',
      '{"class":"unknown","queue":"default","args":[12345678901234567890]}',
      '{"class":"constructor","queue":"default","args":[]}',
      '{"class":"note","queue":"default","args":{"0":1}}',
      '{"class":"note","queue":"default","args":[{"__proto__":{"x":1}}]}',
      Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d]),
      Buffer.concat([Buffer.from('{"class":"note","args":["'), Buffer.from([0xff]), Buffer.from('"]}')]),
    ]
    await redis.sadd(key(namespace, 'queues'), 'default')
    for (const one of bad) await redis.rpush(key(namespace, 'queue:default'), one)
    const tasks = await open({ namespace, maxTaskProcessors: 2, define: [note] }, t)
    await tasks.enqueue('note', 'fine')
    await until(() => seen.length === 1)
    assert.deepEqual(seen, ['fine'])
    await until(async () => (await tasks.failedCount()) === bad.length)
    const kept = new Set<string>()
    for (const { payload } of await tasks.failed(0, -1)) {
      const { raw } = payload as { raw?: string }
      kept.add(raw === undefined ? JSON.stringify(payload) : Buffer.from(raw, 'base64').toString('latin1'))
    }
    for (const one of ['no json', '7', '[]', '{}']) assert.ok(kept.has(one), one)
    assert.ok(kept.has(Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d]).toString('latin1')))
    const texts = await redis.lrange(key(namespace, 'failed'), 0, -1)
    assert.ok(
      texts.some((text) => text.includes('[12345678901234567890]')),
      'a big integer stays what it is',
    )
    assert.equal(({} as { x?: number }).x, undefined)
  })

  test('[37] a run that never ends is aborted when its time is over, and counts as failed', async (t) => {
    const reasons: unknown[] = []
    const hang = {
      name: 'hang',
      timeoutMs: 60,
      run: (_: unknown, { signal }: JobContext) => {
        signal.addEventListener('abort', () => reasons.push((signal.reason as { code?: string }).code))
        return new Promise(() => undefined)
      },
    }
    const tasks = await open({ namespace: freshNamespace(), maxTaskProcessors: 1, define: [hang] }, t)
    await tasks.enqueue('hang')
    await tasks.enqueue('hang', {}, { timeoutMs: 30 })
    await until(async () => (await tasks.failedCount()) === 2)
    assert.deepEqual(reasons, ['AH_TASKS_TIMEOUT', 'AH_TASKS_TIMEOUT'])
    const errors = (await tasks.failed(0, -1)).map(({ error }) => error)
    assert.deepEqual(errors, ['the task hang did not end within 60 ms', 'the task hang did not end within 30 ms'])
  })

  test('a failed job is tried again, counted by itself, until its tries are over', async (t) => {
    const tries: number[] = []
    const flaky = {
      name: 'flaky',
      retry: { attempts: 3, backoffMs: 20 },
      run: (inputs: { until: number }, { attempt, args }: JobContext) => {
        tries.push(attempt)
        assert.deepEqual(args, [inputs])
        if (attempt < inputs.until) throw new Error(`try ${attempt}`)
      },
    }
    const events: string[] = []
    const namespace = freshNamespace()
    const tasks = await open({ namespace, maxTaskProcessors: 2, scheduler: true, define: [flaky] }, t)
    for (const name of ['retry', 'success', 'failure'] as const) tasks.on(name, () => events.push(name))
    await tasks.enqueue('flaky', { until: 3, list: [] })
    await until(() => events.includes('success'))
    assert.deepEqual(tries.splice(0), [1, 2, 3])
    await tasks.enqueue('flaky', { until: 9 }, { track: true, id: 'lost cause' })
    await until(() => events.includes('failure'))
    assert.deepEqual(tries, [1, 2, 3])
    assert.deepEqual(events, ['retry', 'retry', 'success', 'retry', 'retry', 'failure'])
    const [entry] = await tasks.failed(0, -1)
    assert.equal(entry?.error, 'try 3')
    await until(async () => (await tasks.track('lost cause'))?.state === 'failed')
    // From the start: no member of ours is left in it.
    await tasks.pause('default')
    await tasks.retryAndRemoveFailed(entry!)
    assert.deepEqual(await tasks.queued('default'), [{ class: 'flaky', queue: 'default', args: [{ until: 9 }] }])
    await assert.rejects(tasks.retryAndRemoveFailed(entry!), { code: 'AH_TASKS_NOT_FAILED' })
    assert.equal(await tasks.failedCount(), 0)
  })

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
