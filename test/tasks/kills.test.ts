// Processes that are killed at any instant: every job that was acknowledged ends, in one place, with one outcome.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { random, scaled, spawnNode, startRedis, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const churner = new URL('./programs/churner.js', import.meta.url)
const names = ['plain', 'slow', 'fails', 'again', 'limited']
const define = names.map((name) => ({ name, run: () => undefined }))

/** Every place in which a job can be, and how many are there. */
async function census(): Promise<Record<string, number>> {
  const lists = [
    'resque:queue:*',
    'resque:ah:suspects:*',
    'resque:ah:recovered:*',
    'resque:ah:parked:*',
    'resque:delayed:*',
  ]
  const found: Record<string, number> = {}
  for (const pattern of lists) {
    let count = 0
    for (const key of await client.keys(pattern)) count += await client.llen(key)
    found[pattern] = count
  }
  let claimed = 0
  for (const key of await client.keys('resque:ah:claims:*')) {
    claimed += (await client.hkeys(key)).filter((field) => /^\d+$/.test(field)).length
  }
  const scheduled = await client.hlen('resque:ah:scheduled-jobs')
  const [processed, failed] = await client.mget('resque:stat:processed', 'resque:stat:failed')
  return { ...found, claimed, scheduled, processed: Number(processed), failed: Number(failed) }
}

test('[30] [39] killed at a random instant, again and again: enqueued = succeeded + failed + waiting', {
  timeout: 1_800_000,
}, async (t) => {
  const tasks = await openTasks({ redis: redis.url, define }, t)
  const rounds = scaled(500, 8)
  let enqueued = 0
  const children = new Set<ReturnType<typeof spawnNode>>()
  const start = async () => {
    const child = spawnNode(churner, { args: [redis.url], ipc: true }, t)
    children.add(child)
    await Promise.race([once(child.child, 'message'), child.exited])
  }
  await Promise.all([start(), start(), start()])
  for (let round = 0; round < rounds; round += 1) {
    const items = Array.from({ length: 40 }, () => {
      const name = names[Math.floor(random() * names.length)]!
      const options = random() < 0.1 ? { delayMs: 20, id: `d${Math.floor(random() * 1e12)}` } : {}
      return { name, inputs: { n: enqueued++ }, options }
    })
    await tasks.enqueueMany(items)
    // Time is the subject: the instant of the kill must be any.
    await sleep(random() * 40)
    const [victim] = children
    children.delete(victim!)
    victim!.kill('SIGKILL')
    await victim!.exited
    await victim!.assertNothingUnhandled()
    await victim!.dispose()
    await start()
  }
  await until(
    async () => {
      const { processed, failed } = await census()
      return processed! + failed! >= enqueued
    },
    { deadlineMs: 60_000, what: 'everything has ended' },
  )
  const { processed, failed, ...places } = await census()
  assert.equal(processed! + failed!, enqueued, JSON.stringify(places))
  assert.deepEqual(new Set(Object.values(places)), new Set([0]), JSON.stringify(places))
  assert.equal(await tasks.failedCount(), failed)
  // Who is dead left nothing behind.
  await until(async () => (await client.keys('resque:ah:claims:*')).length <= children.size, { deadlineMs: 20_000 })
  assert.ok((await client.zcard('resque:ah:processors')) <= children.size)
  assert.ok((await client.scard('resque:workers')) <= children.size)
  assert.deepEqual(await client.keys('resque:ah:slots:*'), [])
})
