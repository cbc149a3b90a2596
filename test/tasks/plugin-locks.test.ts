// JobLock's lock when its holder dies, or comes late.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { type SpawnedNode, spawnNode, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const lock = 'resque:workerslock:job:default:[{"n":1}]'
const plugins = { plugins: ['JobLock'], pluginOptions: { JobLock: { enqueueTimeout: 100 } } }
const lease = { redis: redis.url, leaseMs: 900, scheduler: true }

async function holder(scope: TestScope): Promise<SpawnedNode> {
  const program = new URL('./programs/locked-worker.js', import.meta.url)
  const spawned = spawnNode(program, { args: [redis.url], ipc: true }, scope)
  await once(spawned.child, 'message')
  return spawned
}

test('[42] a holder that is killed: its lock is free after its lease, and its job runs again', async (t) => {
  await client.flushall()
  const killed = await holder(t)
  const tasks = await openTasks({ ...lease, define: [{ name: 'job', run() {} }] }, t)
  const runs = once(killed.child, 'message')
  await tasks.enqueue('job', { n: 1 })
  await runs
  const held = await client.get(lock)
  assert.ok(held !== null)
  killed.kill('SIGKILL')
  let recovered = false
  const run = (_: unknown, job: { recovered: boolean }): void => {
    recovered = job.recovered
  }
  const second = await openTasks({ ...lease, maxTaskProcessors: 1, define: [{ name: 'job', ...plugins, run }] }, t)
  // Lease, sweep and one lease more for a beat that was missed by everybody; far below node-resque's hour.
  await until(async () => (await second.stats())['processed'] === '1', { deadlineMs: 10_000 })
  assert.equal(recovered, true)
  assert.equal(await client.get(lock), null)
})

test('[42] a holder that was stopped past its lease: another has the lock, and the late one leaves it alone', async (t) => {
  await client.flushall()
  const late = await holder(t)
  const letGo: (() => void)[] = []
  const run = (): Promise<void> => new Promise<void>((resolve) => letGo.push(resolve))
  const tasks = await openTasks({ ...lease, define: [{ name: 'job', run() {} }] }, t)
  const runs = once(late.child, 'message')
  await tasks.enqueue('job', { n: 1 })
  await runs
  late.kill('SIGSTOP')
  const second = await openTasks({ ...lease, maxTaskProcessors: 1, define: [{ name: 'job', ...plugins, run }] }, t)
  await until(() => letGo.length === 1, { deadlineMs: 10_000 })
  const held = String(await client.get(lock))
  late.kill('SIGCONT')
  // It finishes its run, frees the lock that is no longer its own, and settles what is no longer its own.
  late.child.send('go on')
  late.kill('SIGTERM')
  await late.exited
  const now = await client.get(lock)
  assert.equal(now, held)
  letGo[0]?.()
  await until(async () => (await second.stats())['processed'] === '1')
  assert.equal(await client.get(lock), null)
})
