// Who schedules when the leader dies, stands still, or belongs to another release.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openApp, openTasks } from './open-tasks.ts'
import { startWorker } from './workers.ts'

const redis = await startRedis({}, test)
const client = redis.client()
// The lock of the leader, and a moment.
const takeOverMs = 12_000

describe('the leader', { concurrency: true, timeout: 60_000 }, () => {
  const heir = async (namespace: string, scope: TestScope) => {
    const seen: string[] = []
    const run = (input: { id: string }): void => void seen.push(input.id)
    const options = { redis: redis.url, namespace, maxTaskProcessors: 2, scheduler: true, queues: ['later'] }
    const tasks = await openTasks({ ...options, define: [{ name: 'work', queue: 'later', run }] as never }, scope)
    return { tasks, seen }
  }

  test('[38] is killed: the next one leads within 10 s, what came due meanwhile runs once', async (t) => {
    const namespace = 'killed'
    const leader = await startWorker(redis.url, { namespace, scheduler: true, queues: ['none'] }, t)
    const holder = async () => client.get(`${namespace}:resque_scheduler_leader_lock`)
    await until(async () => (await holder())?.includes(`~ah:${leader.pid}-`))
    const { tasks, seen } = await heir(namespace, t)
    leader.kill('SIGKILL')
    await leader.exited
    await tasks.enqueue('work', { id: 'exact' }, { delayMs: 100, id: 'exact' })
    await tasks.enqueueIn(1_000, 'work', { id: 'bare' })
    await until(() => seen.length === 2, { deadlineMs: takeOverMs })
    assert.deepEqual([...seen].sort(), ['bare', 'exact'])
    assert.ok((await holder())?.includes(`~ah:${process.pid}-`))
  })

  test('[38] stands still: another leads, and what it does when it wakes late changes nothing', async (t) => {
    const namespace = 'still'
    const leader = await startWorker(redis.url, { namespace, scheduler: true, queues: ['none'] }, t)
    const key = `${namespace}:resque_scheduler_leader_lock`
    await until(async () => (await client.get(key))?.includes(`~ah:${leader.pid}-`))
    const { tasks, seen } = await heir(namespace, t)
    leader.kill('SIGSTOP')
    for (let n = 0; n < 20; n += 1) await tasks.enqueue('work', { id: String(n) }, { delayMs: 50 + n, id: String(n) })
    await until(() => seen.length === 20, { deadlineMs: takeOverMs })
    leader.kill('SIGCONT')
    for (let n = 20; n < 40; n += 1) await tasks.enqueue('work', { id: String(n) }, { delayMs: 50 + n, id: String(n) })
    await until(() => seen.length === 40, { deadlineMs: takeOverMs })
    // That it does nothing more is the subject.
    await sleep(500)
    assert.equal(new Set(seen).size, 40)
    assert.equal(seen.length, 40)
    assert.ok((await client.get(key))?.includes(`~ah:${process.pid}-`))
  })

  test('stops: the next one leads at once', async (t) => {
    const options = { redis: redis.url, namespace: 'stopped', scheduler: true }
    const first = await openApp(options, t)
    await until(async () => (await first.tasks.details()).leader !== null)
    const [before, second] = [(await first.tasks.details()).leader, await openTasks(options, t)]
    await first.close()
    await until(async () => ![null, before].includes((await second.details()).leader), { deadlineMs: 5_000 })
  })

  test('[40] the newest release plans: another frequency counts from then on, what is gone runs no more', async (t) => {
    const ran: string[] = []
    const release = (name: string, tasks: readonly (readonly [string, number])[]) =>
      openApp(
        {
          redis: redis.url,
          namespace: 'releases',
          scheduler: true,
          maxTaskProcessors: 2,
          define: [
            { name: 'often', run: () => void ran.push('often') },
            { name: 'gone', run: () => void ran.push('gone') },
            ...tasks.map(([task, frequencyMs]) => ({ name: task, frequencyMs, run: () => void ran.push(task) })),
          ].filter(({ name: task }, index, all) => all.findLastIndex((one) => one.name === task) === index),
        },
        t,
      ).then((app) => ({ name, app }))
    const old = await release('old', [
      ['often', 3_600_000],
      ['gone', 200],
    ])
    await until(() => ran.includes('gone') && ran.includes('often'))
    const fresh = await release('fresh', [['often', 200]])
    ran.length = 0
    await until(() => ran.filter((task) => task === 'often').length >= 3, { deadlineMs: takeOverMs })
    const since = ran.length
    await until(() => ran.slice(since).filter((task) => task === 'often').length >= 3, { deadlineMs: takeOverMs })
    assert.ok(!ran.slice(since).includes('gone'))
    // The old one respawns: it is no news.
    await old.app.close()
    const respawned = await release('old', [
      ['often', 3_600_000],
      ['gone', 200],
    ])
    const again = ran.length
    await until(() => ran.slice(again).filter((task) => task === 'often').length >= 3, { deadlineMs: takeOverMs })
    assert.ok(!ran.slice(again).includes('gone'))
    await Promise.all([fresh.app.close(), respawned.app.close()])
  })

  test('[40] a recurring job that throws runs again at its next tick', async (t) => {
    const ran: number[] = []
    const throws = {
      name: 'throws',
      frequencyMs: 150,
      run: () => {
        ran.push(Date.now())
        throw new Error('every time')
      },
    }
    const options = { redis: redis.url, namespace: 'throws', scheduler: true, maxTaskProcessors: 1 }
    const tasks = await openTasks({ ...options, define: [throws] }, t)
    await until(() => ran.length >= 4)
    assert.ok((await tasks.failedCount()) >= 3)
  })
})

test('[11] a node whose clock is ten minutes off neither ends leases nor jumps the queue of what is planned', {
  timeout: 60_000,
}, async (t) => {
  await client.flushall()
  const { shiftDate } = await import('fastify-ah-test-support')
  const shifted = await startWorker(redis.url, { scheduler: true, queues: ['shifted'] }, t, shiftDate(600_000))
  const steady = await startWorker(redis.url, { queues: ['steady'] }, t)
  const tasks = await openTasks({ redis: redis.url, define: [{ name: 'work', run: () => undefined }] }, t)
  await until(async () => (await client.get('resque:resque_scheduler_leader_lock'))?.includes(`~ah:${shifted.pid}-`))
  await tasks.enqueue('work', { id: 'long', ms: 2_500 }, 'steady')
  await tasks.enqueue('work', { id: 'planned' }, { delayMs: 1_000, id: 'planned', queue: 'shifted' })
  await tasks.enqueue('work', { id: 'far' }, { delayMs: 300_000, id: 'far', queue: 'shifted' })
  const beganAt = performance.now()
  await until(() => shifted.said.some(({ started }) => started === 'planned'), { deadlineMs: 10_000 })
  assert.ok(performance.now() - beganAt >= 900)
  await until(() => steady.said.some(({ event }) => event === 'success'), { deadlineMs: 10_000 })
  assert.equal(await client.llen('started'), 2)
  assert.ok(!steady.said.some(({ event }) => event === 'lost'))
})
