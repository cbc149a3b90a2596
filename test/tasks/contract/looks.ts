// The contract of looking into queues and failures, and of putting them in order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'fastify-ah-test-support'
import { freshNamespace, type TasksUnderTest } from './tasks-under-test.ts'

export function lookContract({ open, redis, key }: TasksUnderTest): void {
  test('waiting jobs are removed by their inputs, by their task, and with their queue', async (t) => {
    const define = [
      { name: 'a', run: () => undefined },
      { name: 'b', run: () => undefined },
    ]
    const namespace = freshNamespace()
    const tasks = await open({ namespace, define }, t)
    const items = Array.from({ length: 30 }, (_, n) => ({ name: n % 2 ? 'a' : 'b', inputs: { n: n % 3 } }))
    await tasks.enqueueMany(items)
    assert.equal(await tasks.del('default', 'a', { n: 0 }, 2), 2)
    assert.equal(await tasks.del('default', 'a', { n: 0 }), 3)
    assert.equal(await tasks.del('default', 'a', { n: 9 }), 0)
    assert.equal(await tasks.length('default'), 25)
    assert.equal(await tasks.delByFunction('default', 'a'), 10)
    assert.equal(await tasks.delByFunction('default', 'b', 0, 4), 5)
    assert.equal(await tasks.length('default'), 10)
    await tasks.enqueueMany([
      { name: 'a', inputs: { n: 5 }, options: { id: 'one' } },
      { name: 'a', inputs: { n: 5 } },
      { name: 'a', inputs: { n: 55 }, options: { track: true } },
      { name: 'a', inputs: { n: 5 }, options: { timeoutMs: 9 } },
    ])
    assert.equal(await tasks.del('default', 'a', { n: 5 }, 2), 2)
    assert.equal(await tasks.del('default', 'a', { n: 5 }), 1)
    assert.deepEqual((await tasks.queued('default', -1))[0]?.args, [{ n: 55 }])
    // As a dead process leaves it: served first, and counted first.
    const bytes = JSON.stringify({ class: 'a', queue: 'default', args: [{ n: 7 }] })
    await redis.rpush(key(namespace, 'ah:recovered:default'), `r0:7:default${bytes}`, `r0:7:default${bytes}`)
    assert.equal(await tasks.delByFunction('default', 'a', 0, 0), 1)
    assert.equal(await tasks.del('default', 'a', { n: 7 }), 1)
    assert.equal(await tasks.length('default'), 11)
    // What others put there is shown, whatever it is.
    await redis.rpush(key(namespace, 'queue:default'), '{"class":"a"}')
    assert.deepEqual((await tasks.queued('default', -1))[0]?.args, [])
    await tasks.delQueue('default')
    assert.deepEqual([await tasks.length('default'), await tasks.queues()], [0, []])
  })

  test('the failed list is read, cut, and put back, exactly the entry that was meant', async (t) => {
    const define = [{ name: 'fail', run: () => Promise.reject(new Error('always')) }]
    const namespace = freshNamespace()
    const tasks = await open({ namespace, maxTaskProcessors: 1, maxFailed: 5, define }, t)
    for (let n = 0; n < 8; n += 1) await tasks.enqueue('fail', { n })
    await until(async () => (await tasks.stats())['failed'] === '8')
    assert.equal(await tasks.failedCount(), 5)
    const entries = await tasks.failed(0, -1)
    assert.deepEqual(
      entries.map(({ payload }) => payload.args),
      [3, 4, 5, 6, 7].map((n) => [{ n }]),
    )
    assert.equal(await tasks.removeFailed(entries[1]!), 1)
    assert.equal(await tasks.removeFailed(entries[1]!), 0)
    // As one that was read by another program, or sent over a wire.
    assert.equal(await tasks.removeFailed(JSON.parse(JSON.stringify(entries[2]))), 1)
    await tasks.pause('default')
    assert.equal(await tasks.retryAndRemoveFailed(entries[0]!), true)
    assert.deepEqual(await tasks.queued('default'), [{ class: 'fail', queue: 'default', args: [{ n: 3 }] }])
    assert.equal(await tasks.failedCount(), 2)
    await redis.rpush(key(namespace, 'failed'), 'not json')
    const [strange] = await tasks.failed(-1, -1)
    assert.equal(strange?.exception, 'Unreadable')
    await assert.rejects(tasks.retryAndRemoveFailed(strange!), { code: 'AH_TASKS_PAYLOAD' })
    assert.equal(await tasks.removeFailed(strange!), 1)
    await redis.rpush(key(namespace, 'failed'), JSON.stringify({ queue: '', payload: { class: 'fail' } }))
    await redis.rpush(key(namespace, 'failed'), JSON.stringify({ queue: 'default', payload: null }))
    const [nowhere, empty] = await tasks.failed(-2, -1)
    await assert.rejects(tasks.retryAndRemoveFailed(nowhere!), { code: 'AH_TASKS_QUEUE' })
    assert.equal(empty?.exception, 'Unreadable')
    assert.equal(await tasks.failedCount(), 4)
    assert.deepEqual(await tasks.queues(), ['default'])
  })

  test('details say all at a glance', async (t) => {
    const namespace = freshNamespace()
    const define = [{ name: 'noop', run: () => undefined }]
    const producer = await open({ namespace, define }, t)
    await producer.enqueue('noop', 1, 'never')
    const tasks = await open({ namespace, define, maxTaskProcessors: 1, scheduler: true, queues: ['x', 'y'] }, t)
    await until(async () => (await tasks.details()).leader !== null)
    await until(async () => Object.keys(await tasks.workers()).length === 1)
    const details = await tasks.details()
    const [worker] = Object.entries(await tasks.workers())
    assert.match(worker![0], /~ah:\d+-/)
    assert.equal(worker![1], 'x,y')
    assert.deepEqual(details.queues, { never: { length: 1, parked: 0, paused: false } })
    assert.deepEqual(details.workers, { [worker![0]]: 'started' })
    assert.equal(await tasks.workingOn(worker![0], worker![1]), 'started')
    assert.equal(details.leader, worker![0])
    assert.deepEqual([details.delayed, details.failed, details.stats], [0, 0, {}])
    assert.ok(details.redis.usedMemory > 0)
    assert.equal(details.redis.policy, 'noeviction')
    assert.deepEqual(await tasks.locks(), {})
    await redis.set(key(namespace, 'lock:noop:x:[]'), '1')
    assert.deepEqual(await tasks.locks(), { 'lock:noop:x:[]': '1' })
    assert.equal(await tasks.delLock('lock:noop:x:[]'), 1)
    await assert.rejects(tasks.delLock('queues'), { code: 'AH_TASKS_OPTIONS' })
    assert.deepEqual(await tasks.cleanOldWorkers(1), {})
  })
}
