// Processes that end, in order and killed.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { random, type SpawnedNode, scaled, spawnNode, startRedis, type TestScope } from 'fastify-ah-test-support'

const redis = await startRedis({}, test)
const client = redis.client()

async function counter(scope: TestScope): Promise<SpawnedNode> {
  const spawned = spawnNode(new URL('./programs/counter.js', import.meta.url), { args: [redis.url], ipc: true }, scope)
  await once(spawned.child, 'message')
  return spawned
}

async function writtenBy({ pid }: SpawnedNode): Promise<number> {
  return Number(await client.hget('actionhero:stats', String(pid)))
}

test('a process that closes has written all that it counted', async (t) => {
  const counters = await Promise.all([1, 2, 3].map(() => counter(t)))
  await Promise.all(
    counters.map(async (spawned) => {
      let closed: number | undefined
      spawned.child.on('message', (message) => {
        closed = (message as { closed?: number }).closed ?? closed
      })
      spawned.child.send('close')
      assert.deepEqual(await spawned.exited, { code: 0, signal: null }, spawned.stderr())
      assert.ok(closed! > 0)
      assert.equal(await writtenBy(spawned), closed)
    }),
  )
})

test('a process killed at any instant loses what it counted since the last write, and nothing is there twice', async (t) => {
  for (let killed = 0; killed < scaled(40, 6); killed += 2) {
    const pair = await Promise.all([counter(t), counter(t)])
    const counted = new Map<SpawnedNode, number[]>(pair.map((spawned) => [spawned, []]))
    for (const spawned of pair) {
      spawned.child.on('message', (message) => counted.get(spawned)!.push((message as { counted: number }).counted))
    }
    // Time is the subject: the instant of the kill must be any.
    await sleep(100 + random() * 60)
    for (const spawned of pair) spawned.kill('SIGKILL')
    await Promise.all(pair.map(({ exited }) => exited))
    for (const spawned of pair) {
      await spawned.assertNothingUnhandled()
      const written = await writtenBy(spawned)
      // The last message may not have arrived: one turn of ten counts.
      assert.ok(written <= counted.get(spawned)!.at(-1)! + 10, `${written} written`)
      assert.ok(written > 0)
    }
  }
})
