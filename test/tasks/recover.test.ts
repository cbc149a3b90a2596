// Processes that die, stand still or are taken for another: their jobs run again, once, and late ends are refused.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lifecycleOf } from 'fastify-ah-kit'
import type { FailedJob } from 'fastify-ah-tasks'
import { scaled, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openApp, openTasks } from './open-tasks.ts'
import { startWorker } from './workers.ts'

const redis = await startRedis({}, test)
const client = redis.client()

/** Tasks of a process that only enqueues: the children define what runs. */
const define = ['work', 'die', 'block'].map((name) => ({ name, run: () => undefined }))

async function producer(scope: TestScope) {
  await client.flushall()
  return openTasks({ redis: redis.url, define }, scope)
}

const processed = async (): Promise<number> => Number(await client.get('resque:stat:processed'))

describe('with a lease of 900 ms', { timeout: 60_000 }, () => {
  test('[29] a job whose process is killed runs again, once, byte for byte', async (t) => {
    const tasks = await producer(t)
    const payload =
      '{"class":"work","queue":"default","args":[{"id":"a","ms":60000,"list":[],"big":12345678901234567890}]}'
    const doomed = await startWorker(redis.url, {}, t)
    await client.sadd('resque:queues', 'default')
    await client.rpush('resque:queue:default', payload)
    await until(() => doomed.said.some(({ started }) => started === 'a'))
    doomed.kill('SIGKILL')
    await doomed.exited
    await doomed.assertNothingUnhandled()
    // Somebody who sees that it is dead, and works another queue: the bytes lie there behind their mark.
    await openTasks({ redis: redis.url, leaseMs: 900, maxTaskProcessors: 1, queues: ['another'], define }, t)
    await until(async () => (await tasks.length('default')) === 1)
    assert.deepEqual(await client.lrange('resque:ah:suspects:default', 0, -1), [`s1:7:default${payload}`])
    const seen: unknown[] = []
    const app = await openApp(
      {
        redis: redis.url,
        leaseMs: 900,
        maxTaskProcessors: 2,
        define: [
          { name: 'work', run: (_: unknown, { recovered }: { recovered: boolean }) => void seen.push(recovered) },
        ],
      },
      t,
    )
    const raw: string[] = []
    app.tasks.on('success', ({ args }) => raw.push(JSON.stringify(args)))
    // A lease, a sweep, and what a busy machine takes.
    await until(() => seen.length === 1, { deadlineMs: 10_000 })
    assert.deepEqual(seen, [true])
    await until(async () => (await processed()) === 1)
    assert.equal(raw[0], JSON.stringify(JSON.parse(payload).args))
    assert.equal(await tasks.length('default'), 0)
    await until(async () => (await client.keys('resque:ah:claims:*')).length === 2, { what: "only the living ones'" })
  })

  test('[29] told of the death by the manager, the survivors do not wait for the lease', async (t) => {
    const tasks = await producer(t)
    const doomed = await startWorker(redis.url, { leaseMs: 60_000 }, t, { env: { AH_BOOT_ID: 'boot-of-the-doomed' } })
    await tasks.enqueue('work', { id: 'a', ms: 60_000 })
    await until(() => doomed.said.some(({ started }) => started === 'a'))
    const seen: unknown[] = []
    const app = await openApp(
      {
        redis: redis.url,
        leaseMs: 60_000,
        maxTaskProcessors: 1,
        define: [{ name: 'work', run: () => void seen.push(1) }],
      },
      t,
    )
    doomed.kill('SIGKILL')
    await doomed.exited
    assert.equal(seen.length, 0)
    lifecycleOf(app).announcePeerDeath({ bootId: 'boot-of-the-doomed', pid: doomed.pid, cause: 'crashed' })
    await until(() => seen.length === 1, { deadlineMs: 1_000 })
  })

  test('[31] a process that stood still for three leases lost its job: its signal aborts, its end is refused', async (t) => {
    const tasks = await producer(t)
    const [still, other] = [await startWorker(redis.url, {}, t), await startWorker(redis.url, { queues: ['later'] }, t)]
    await tasks.enqueue('work', { id: 'a', ms: 400 })
    await until(() => still.said.some(({ started }) => started === 'a'))
    still.kill('SIGSTOP')
    const heir = await startWorker(redis.url, {}, t)
    await until(() => heir.said.some(({ event }) => event === 'success'), { deadlineMs: 15_000 })
    still.kill('SIGCONT')
    await until(() => still.said.some(({ event }) => event === 'lost'), { deadlineMs: 10_000 })
    assert.ok(!still.said.some(({ event }) => event === 'success'))
    assert.equal(await processed(), 1)
    assert.equal(await tasks.failedCount(), 0)
    assert.equal(other.said.filter(({ started }) => started).length, 0)
    // It goes on working.
    heir.kill('SIGKILL')
    await tasks.enqueue('work', { id: 'b' })
    await until(() => still.said.some(({ event, input }) => event === 'success' && input === 'b'), {
      deadlineMs: 10_000,
    })
  })

  test('[32] a job that blocks its process for two leases runs elsewhere, and its end is refused', async (t) => {
    const tasks = await producer(t)
    const blocked = await startWorker(redis.url, {}, t)
    await tasks.enqueue('block', { id: 'a', ms: 3_000 })
    await until(async () => (await client.llen('started')) === 1)
    const seen: unknown[] = []
    const run = (_: unknown, { recovered }: { recovered: boolean }): void => void seen.push(recovered)
    await openTasks({ redis: redis.url, leaseMs: 900, maxTaskProcessors: 1, define: [{ name: 'block', run }] }, t)
    await until(() => seen.length === 1, { deadlineMs: 15_000 })
    await until(() => blocked.said.some(({ event }) => event === 'lost'), { deadlineMs: 10_000 })
    assert.deepEqual(seen, [true])
    assert.equal(await processed(), 1)
  })

  test('[33] a process of the same host, pid and title neither inherits nor cleans what another has', async (t) => {
    const tasks = await producer(t)
    // As two containers see themselves: on one host, each with the pid that the other has.
    const same = 'Object.defineProperty(process, "pid", { value: 4242 })'
    const twin = {
      env: { ACTIONHERO_TITLE: 'the same' },
      execArgv: ['--import', `data:text/javascript,${encodeURIComponent(same)}`],
    }
    const first = await startWorker(redis.url, {}, t, twin)
    await tasks.enqueue('work', { id: 'a', ms: 1_500 })
    await until(() => first.said.some(({ started }) => started === 'a'))
    const [lists] = await client.keys('resque:ah:claims:*')
    const second = await startWorker(redis.url, {}, t, twin)
    const names = Object.keys(await tasks.workers())
    assert.deepEqual([names.length, new Set(names.map((name) => name.replace(/-.*/, ''))).size], [2, 1])
    assert.ok(names.every((name) => /~ah:4242-/.test(name)))
    assert.equal(await client.exists(lists!), 1)
    await until(() => first.said.some(({ event }) => event === 'success'), { deadlineMs: 10_000 })
    assert.equal(second.said.filter(({ started }) => started).length, 0)
    assert.equal(await client.llen('started'), 1)
  })

  test('[34] a job that kills ends in the failed list after three deaths, those beside it all succeed', async (t) => {
    const tasks = await producer(t)
    const innocents = Array.from({ length: 10 }, (_, id) => ({ name: 'work', inputs: { id: `i${id}`, ms: 400 } }))
    await tasks.enqueueMany([
      ...innocents.slice(0, 5),
      { name: 'die', inputs: { id: 'poison' } },
      ...innocents.slice(5),
    ])
    const options = { minTaskProcessors: 11, maxTaskProcessors: 11 }
    let deaths = 0
    const watch = async (): Promise<void> => {
      while ((await client.llen('ended')) < 10 || (await tasks.failedCount()) < 1) {
        const worker = await startWorker(redis.url, options, t)
        const isOver = until(async () => (await client.llen('ended')) >= 10 && (await tasks.failedCount()) >= 1, {
          deadlineMs: 25_000,
        })
        const died = await Promise.race([worker.exited.then(() => true), isOver.then(() => false)])
        if (died) deaths += 1
        isOver.catch(() => undefined)
        if (!died) worker.kill('SIGKILL')
      }
    }
    await watch()
    // Once with all, then three times as the one suspect.
    assert.equal(deaths, 4)
    const [entry] = (await tasks.failed(0, -1)) as [FailedJob]
    assert.equal(entry.payload.class, 'die')
    assert.match(entry.error, /crashed its worker 3 times/)
    const ended = new Set(await client.lrange('ended', 0, -1))
    assert.equal(ended.size, 10)
    assert.equal(await tasks.length('default'), 0)
  })

  test('[34] a killer and its byte-equal twin are told apart by their claims, not by their bytes', async (t) => {
    const tasks = await producer(t)
    // The first one of a process dies, whichever it is; both are the same bytes.
    await tasks.enqueueMany([
      { name: 'die', inputs: {} },
      { name: 'die', inputs: {} },
    ])
    const options = { minTaskProcessors: 1, maxTaskProcessors: 1 }
    for (let deaths = 0; deaths < 6; deaths += 1) {
      const worker = await startWorker(redis.url, options, t)
      await worker.exited
    }
    const last = await startWorker(redis.url, options, t)
    await until(async () => (await tasks.failedCount()) === 2, { deadlineMs: 10_000 })
    assert.equal(last.said.length, 1)
    assert.equal(await client.llen('started'), 6)
  })

  test('[34] a process killed at the end of its drain blames nobody', async (t) => {
    const tasks = await producer(t)
    const seen: unknown[] = []
    for (let round = 0; round < scaled(5, 4); round += 1) {
      await client.del('started')
      const bootId = `drained-${round}`
      const doomed = await startWorker(redis.url, { leaseMs: 60_000 }, t, { env: { AH_BOOT_ID: bootId } })
      if (round === 0) await tasks.enqueue('work', { id: 'a', ms: 60_000 })
      await until(async () => (await client.llen('started')) === 1, { deadlineMs: 10_000 })
      doomed.kill('SIGKILL')
      await doomed.exited
      const app = await openApp({ redis: redis.url, leaseMs: 60_000, maxTaskProcessors: 1, queues: ['none'] }, t)
      lifecycleOf(app).announcePeerDeath({ bootId, pid: doomed.pid, cause: 'deadline' })
      await until(async () => (await tasks.length('default')) === 1)
      await app.close()
    }
    await openTasks(
      { redis: redis.url, maxTaskProcessors: 1, define: [{ name: 'work', run: () => void seen.push(1) }] },
      t,
    )
    await until(() => seen.length === 1)
    assert.equal(await tasks.failedCount(), 0)
  })
})

test('[11b] Redis away for longer than every lease: nobody is declared dead, nothing runs twice', {
  timeout: 60_000,
}, async (t) => {
  const own = await startRedis({ appendfsyncAlways: true }, t)
  const tasks = await openTasks({ redis: own.url, define }, t)
  // Longer than a client may wait before it tries to connect again (2 s): two that come back do not come at once.
  const lease = { leaseMs: 2_500 }
  const workers = await Promise.all([startWorker(own.url, lease, t), startWorker(own.url, lease, t)])
  await Promise.all([1, 2, 3].map((id) => tasks.enqueue('work', { id, ms: 5_000 })))
  await until(async () => (await own.client().llen('started')) === 3)
  await own.stop()
  // Time is the subject: more than a lease.
  await sleep(3_000)
  await own.restart()
  await until(async () => Number(await own.client().get('resque:stat:processed')) === 3, { deadlineMs: 20_000 })
  assert.equal(await own.client().llen('started'), 3)
  assert.ok(!workers.some(({ said }) => said.some(({ event }) => event === 'lost')))
})
