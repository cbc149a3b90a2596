// The contract of enqueuing: what is acknowledged stands where it has to, once, in its bytes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'fastify-ah-test-support'
import { freshNamespace, type TasksUnderTest } from './tasks-under-test.ts'

const noop = { name: 'noop', run: () => undefined }

export function enqueueContract({ open, redis, key }: TasksUnderTest): void {
  test('a bare job is the bytes that Resque knows, its queue is listed', async (t) => {
    const namespace = freshNamespace()
    const tasks = await open({ namespace, define: [noop] }, t)
    assert.deepEqual(await tasks.enqueue('noop', { a: [] }), { queue: 'default' })
    assert.deepEqual(await tasks.enqueue('noop'), { queue: 'default' })
    assert.deepEqual(await tasks.enqueue('noop', null, 'other'), { queue: 'other' })
    assert.deepEqual(await redis.lrange(key(namespace, 'queue:default'), 0, -1), [
      '{"class":"noop","queue":"default","args":[{"a":[]}]}',
      '{"class":"noop","queue":"default","args":[{}]}',
    ])
    assert.deepEqual(await tasks.queues(), ['default', 'other'])
    assert.deepEqual(await tasks.queued('other'), [{ class: 'noop', queue: 'other', args: [null] }])
  })

  test('the jobs of one tick keep their order, to the front each goes before all', async (t) => {
    const namespace = freshNamespace()
    const tasks = await open({ namespace, define: [noop] }, t)
    await Promise.all([
      tasks.enqueue('noop', 1),
      tasks.enqueue('noop', 2),
      tasks.enqueue('noop', 3, { front: true }),
      tasks.enqueue('noop', 4),
      tasks.enqueue('noop', 5, { queue: 'b' }),
      tasks.enqueue('noop', 6),
    ])
    const inputs = async (queue: string) => (await tasks.queued(queue)).map(({ args }) => args[0])
    assert.deepEqual(await inputs('default'), [3, 1, 2, 4, 6])
    assert.deepEqual(await inputs('b'), [5])
    assert.deepEqual(
      (await tasks.queued('default', 1, 2)).map(({ args }) => args[0]),
      [1, 2],
    )
    assert.deepEqual(
      (await tasks.queued('default', -2, -1)).map(({ args }) => args[0]),
      [4, 6],
    )
  })

  test('enqueueMany answers each, and enqueues none if one is wrong', async (t) => {
    const tasks = await open({ namespace: freshNamespace(), define: [noop] }, t)
    const items = Array.from({ length: 1_200 }, (_, n) => ({
      name: 'noop',
      inputs: n,
      options: { queue: `q${n % 3}` },
    }))
    const answers = await tasks.enqueueMany(items)
    assert.equal(answers.length, 1_200)
    assert.deepEqual(answers[4], { queue: 'q1' })
    assert.deepEqual([await tasks.length('q0'), await tasks.length('q1'), await tasks.length('q2')], [400, 400, 400])
    await assert.rejects(tasks.enqueueMany([{ name: 'noop', options: { queue: 'z' } }, { name: 'nope' }]), {
      code: 'AH_TASKS_UNKNOWN',
    })
    await assert.rejects(
      tasks.enqueueMany([
        { name: 'noop', options: { queue: 'z' } },
        { name: 'noop', inputs: 1n },
      ]),
      { code: 'AH_TASKS_INPUTS' },
    )
    assert.equal(await tasks.length('z'), 0)
    assert.deepEqual(await tasks.enqueueMany([]), [])
  })

  test('a dedupe key stands for its first job until its time is over', async (t) => {
    const tasks = await open({ namespace: freshNamespace(), define: [noop] }, t)
    const dedupe = { key: 'daily } report', ttlMs: 300 }
    const first = await tasks.enqueue('noop', 1, { dedupe })
    assert.ok(first && first.id !== undefined)
    assert.deepEqual(await tasks.enqueue('noop', 2, { dedupe }), { id: first.id, queue: 'default', isDuplicate: true })
    assert.deepEqual(await tasks.enqueue('noop', 2, { dedupe, delayMs: 50 }), {
      id: first.id,
      queue: 'default',
      isDuplicate: true,
    })
    assert.equal(await tasks.length('default'), 1)
    await until(async () => {
      const next = await tasks.enqueue('noop', 3, { dedupe })
      return next && next.isDuplicate === undefined
    })
    assert.equal(await tasks.length('default'), 2)
  })

  test('inputs are checked by the schema, with its defaults, and the caller keeps his own', async (t) => {
    const inputs = {
      type: 'object',
      required: ['to'],
      properties: { to: { type: 'string' }, times: { type: 'integer', default: 2 } },
    }
    const seen: unknown[] = []
    const strict = { name: 'strict', schema: { inputs }, run: (given: unknown) => void seen.push(given) }
    const tasks = await open({ namespace: freshNamespace(), maxTaskProcessors: 1, define: [strict as never] }, t)
    const given = { to: 'Ada' }
    await tasks.enqueue('strict', given)
    assert.deepEqual(given, { to: 'Ada' })
    await until(() => seen.length === 1)
    assert.deepEqual(seen, [{ to: 'Ada', times: 2 }])
    await assert.rejects(tasks.enqueue('strict', {}), {
      code: 'AH_TASKS_INPUTS',
      message: /must have required property 'to'/,
    })
    await assert.rejects(tasks.enqueue('strict'), { code: 'AH_TASKS_INPUTS' })
    await assert.rejects(tasks.run('strict', { to: 'x', times: 'many' }), { code: 'AH_TASKS_INPUTS' })
  })

  test('[46] names of queues are refused or kept apart from the keys of the engine', async (t) => {
    const seen: unknown[] = []
    const note = { name: 'note', run: (given: unknown) => void seen.push(given) }
    const namespace = freshNamespace()
    const tasks = await open({ namespace, maxTaskProcessors: 2, define: [note] }, t)
    for (const queue of ['', '*', 'a,b', 'a\nb', 'a\u0000', 'x'.repeat(600), '\ud800'] as const) {
      await assert.rejects(tasks.enqueue('note', 1, { queue }), { code: 'AH_TASKS_QUEUE' }, JSON.stringify(queue))
    }
    await assert.rejects(tasks.enqueue('note', 1, { queue: 1 as never }), { code: 'AH_TASKS_QUEUE' })
    const odd = ['failed', 'a:b', 'with spaces', 'ah:claims', 'new', '}', '{x}', '*x', 'é✓', '__proto__']
    await tasks.enqueueMany(odd.map((queue) => ({ name: 'note', inputs: queue, options: { queue } })))
    await until(() => seen.length === odd.length)
    assert.deepEqual([...seen].sort(), [...odd].sort())
    assert.equal(await tasks.failedCount(), 0)
    assert.deepEqual((await tasks.queues()).sort(), [...odd].sort())
    assert.equal(await redis.exists(key(namespace, 'failed')), 0)
  })

  test('options that mean nothing are refused before Redis is touched', async (t) => {
    const namespace = freshNamespace()
    const tasks = await open({ namespace, define: [noop] }, t)
    const wrong: unknown[] = [
      { delay: 5 },
      { delayMs: -1 },
      { delayMs: 1.5 },
      { at: 'tomorrow' },
      { at: 5, delayMs: 5 },
      { id: '' },
      { id: 7 },
      { track: 'yes' },
      { front: 1 },
      { front: true, delayMs: 5 },
      { front: true, at: 5 },
      { timeoutMs: 0 },
      { dedupe: 'x' },
      { dedupe: { key: 'x' } },
      { dedupe: { key: '', ttlMs: 1 } },
      null,
      7,
    ]
    for (const options of wrong) {
      await assert.rejects(
        tasks.enqueue('noop', 1, options as never),
        { code: 'AH_TASKS_OPTIONS' },
        JSON.stringify(options),
      )
    }
    await assert.rejects(tasks.enqueue('nop', 1), { code: 'AH_TASKS_UNKNOWN', message: /did you mean noop\?/ })
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    const strange = [circle, 1n, () => 1, Symbol('x'), JSON.parse('{"deep":[{"__proto__":{}}]}')]
    for (const inputs of strange) await assert.rejects(tasks.enqueue('noop', inputs), { code: 'AH_TASKS_INPUTS' })
    assert.deepEqual(await tasks.queues(), [])
  })

  test('calls that mean nothing are refused by name before Redis is touched', async (t) => {
    const any = (await open({ namespace: freshNamespace(), define: [noop] }, t)) as unknown as Record<
      string,
      (...args: unknown[]) => Promise<unknown>
    >
    const wrong: [call: string, ...args: unknown[]][] = [
      ['enqueueMany', 'noop'],
      ['enqueueMany', [null]],
      ['enqueueMany', [{ name: 'noop', input: 1 }]],
      ['enqueueAt', undefined, 'noop'],
      ['enqueueIn', undefined, 'noop'],
      ['cancel'],
      ['cancel', 5],
      ['track', ''],
      ['waitFor'],
      ['waitFor', 'x', { timeout: 5 }],
      ['waitFor', 'x', { timeoutMs: Number.NaN }],
      ['queued', 'q', 'first'],
      ['del', 'q', 'noop', {}, 'all'],
      ['delByFunction', 'q', 'noop', 1.5],
      ['failed'],
      ['removeFailed'],
      ['retryAndRemoveFailed', 'first'],
      ['delayedAt', 'noon'],
      ['cleanOldWorkers'],
    ]
    for (const [call, ...args] of wrong) {
      await assert.rejects(
        async () => any[call]?.(...args),
        { code: 'AH_TASKS_OPTIONS' },
        `${call} ${JSON.stringify(args)}`,
      )
    }
    for (const call of ['scheduledAt', 'delDelayed', 'pause', 'length']) {
      await assert.rejects(async () => any[call]?.('', 'noop'), { code: 'AH_TASKS_QUEUE' }, call)
    }
    await assert.rejects(async () => any['run']?.('noop', { method() {} }), { code: 'AH_TASKS_INPUTS' })
    assert.deepEqual(await any['queues']?.(), [])
    assert.deepEqual(await any['enqueueMany']?.([{ name: 'noop', options: 'mails' }]), [{ queue: 'mails' }])
  })
}
