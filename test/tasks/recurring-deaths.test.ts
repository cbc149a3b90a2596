// Recurring tasks when those who run or plan them die, stand still or hand over.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobContext, TasksOptions } from 'fastify-ah-tasks'
import {
  random,
  type SpawnedNode,
  scaled,
  spawnNode,
  startProxy,
  startRedis,
  type TestScope,
  until,
} from 'fastify-ah-test-support'
import { openApp } from './open-tasks.ts'
import { recurring } from './recurring.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const program = new URL('./programs/recurring-worker.js', import.meta.url)

interface Ran {
  readonly id: string
  readonly recovered: boolean
}

async function startChild(options: TasksOptions, scope: TestScope): Promise<SpawnedNode> {
  const args = [redis.url, JSON.stringify(options)]
  const child = spawnNode(program, { args, ipc: true }, scope)
  await once(child.child, 'message')
  return child
}

/** An app with the same tasks, in this process. */
async function openRecurring(options: TasksOptions, ran: Ran[], scope: TestScope) {
  const run = (_: unknown, { id, recovered }: JobContext): void => void ran.push({ id: String(id), recovered })
  const define = recurring.map((task) => ({ ...task, run }))
  return openApp({ redis: redis.url, leaseMs: 600, ...options, define }, scope)
}

const ofTask = (ran: readonly Ran[], name: string) => ran.filter(({ id }) => id.startsWith(`${name}:`))
const tickOf = (id: string): number => Number(id.slice(id.indexOf(':') + 1))

describe('recurring tasks', { concurrency: true, timeout: 60_000 }, () => {
  test('[40] a job that is killed with its process runs again, and the next ones come on their own schedule', async (t) => {
    const namespace = 'killed'
    await openRecurring({ namespace, scheduler: true, maxTaskProcessors: 0 }, [], t)
    const work = { namespace, scheduler: false, maxTaskProcessors: 1, queues: ['often'] }
    const doomed = await startChild(work, t)
    const said: Ran[] = []
    doomed.child.on('message', (message: { ran: string }) => said.push({ id: message.ran, recovered: false }))
    await doomed.exited
    // Nothing is enqueued beside the job that is neither finished nor lost.
    assert.equal(await client.llen(`${namespace}:queue:often`), 0)
    const ran: Ran[] = []
    const heir = await openRecurring(work, ran, t)
    await until(() => ran.length >= 4, { deadlineMs: 15_000 })
    assert.equal(ran[0]?.recovered, true)
    assert.equal(ran[0]?.id, said[0]?.id, 'the very job')
    const later = ran.slice(1)
    assert.ok(later.every(({ id, recovered }) => !recovered && tickOf(id) % 200 === 0))
    assert.equal(new Set(ran.map(({ id }) => id)).size, ran.length)
    assert.equal(await heir.tasks.failedCount(), 0)
  })

  test('[40] [34] a job that kills whoever runs it ends in the failed list, and the next ones come all the same', async (t) => {
    const namespace = 'poison'
    await openRecurring({ namespace, scheduler: true, maxTaskProcessors: 0 }, [], t)
    const work = { namespace, scheduler: false, maxTaskProcessors: 1, queues: ['often'] }
    for (let death = 0; death < 3; death += 1) await (await startChild(work, t)).exited
    const ran: Ran[] = []
    const { tasks } = await openRecurring(work, ran, t)
    await until(() => ran.length >= 3, { deadlineMs: 15_000 })
    const [entry] = await tasks.failed(0, -1)
    assert.equal(await tasks.failedCount(), 1)
    assert.match(String(entry?.error), /crashed its worker 3 times/)
    assert.ok(entry !== undefined && 'ah' in entry.payload)
    const { id } = entry.payload.ah as { id: string }
    assert.match(id, /^often:\d+$/)
    assert.ok(ran.every((one) => one.id !== id && !one.recovered))
  })

  test('[40] a tick comes once, however often the leader hands over in the midst of it', async (t) => {
    const namespace = 'handed-over'
    const ran: Ran[] = []
    const work = { namespace, scheduler: false, minTaskProcessors: 2, maxTaskProcessors: 2 }
    await openRecurring(work, ran, t)
    const plan = { namespace, scheduler: true, maxTaskProcessors: 0 }
    let leader = await openRecurring(plan, [], t)
    await until(() => ofTask(ran, 'clock').length > 0)
    for (let round = 0; round < scaled(200, 8); round += 1) {
      const next = await openRecurring(plan, [], t)
      // Any instant of a period: an orderly end gives the lock back, the next one leads at once.
      await sleep(random() * 300)
      await leader.close()
      leader = next
    }
    const end = Date.now()
    await until(() => ofTask(ran, 'clock').some(({ id }) => tickOf(id) > end))
    assert.equal(new Set(ran.map(({ id }) => id)).size, ran.length, 'no tick came twice')
    const seconds = ofTask(ran, 'clock').map(({ id }) => tickOf(id))
    assert.ok(seconds.every((tick) => tick % 1_000 === 0))
    assert.ok(ofTask(ran, 'often').length > seconds.length)
  })

  for (const isFree of [false, true]) {
    const who = isFree ? 'while nobody leads' : 'while another leads'
    test(`[40] a leader that was held up between its look and its claim adds no tick, ${who}`, async (t) => {
      const namespace = isFree ? 'held-up-free' : 'held-up'
      const lock = `${namespace}:resque_scheduler_leader_lock`
      const ran: Ran[] = []
      await openRecurring({ namespace, scheduler: false, minTaskProcessors: 2, maxTaskProcessors: 2 }, ran, t)
      const plan = { namespace, scheduler: true, maxTaskProcessors: 0 }
      const proxy = await startProxy({ target: redis }, t)
      for (let round = 0; round < scaled(60, 3); round += 1) {
        const held = await openRecurring({ ...plan, redis: proxy.url }, [], t)
        const isLook = ([name, key]: string[]): boolean =>
          /^hmget$/i.test(name ?? '') && key === `${namespace}:ah:ticks`
        // The first look finds nothing that is due; from then on it looks when a tick has come.
        const count = ran.length
        await until(() => ran.length > count)
        const letGo = await proxy.holdAnswer(isLook)
        await client.del(lock)
        const next = await openRecurring(plan, [], t)
        const before = ran.length
        await until(() => ran.length > before + 1)
        if (isFree) {
          await next.close()
          await client.del(lock)
        }
        letGo()
        // What it claims now, it claims by what it read then.
        await until(() => ran.length > before + 3)
        await Promise.all([held.close(), next.close()])
      }
      assert.equal(new Set(ran.map(({ id }) => id)).size, ran.length, 'no tick came twice')
    })
  }
})
