// The contract of a run: what it gets, how it ends, what is recorded.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobContext } from 'fastify-ah-tasks'
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
}
