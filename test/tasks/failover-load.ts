// Owns the load under which masters die: tasks that count their runs, and enqueues of which one knows whether they hold.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Enqueued, Tasks } from 'fastify-ah-tasks'
import type { TestScope } from 'fastify-ah-test-support'
import { type OpenOptions, openTasks } from './open-tasks.ts'

/** Down-after, an election, and what a busy machine takes. */
export const backMs = 30_000

/** Tasks that count their runs, and an enqueue that is tried until it is acknowledged. */
export async function counting(options: OpenOptions, scope: TestScope) {
  const ran = new Set<number>()
  const count = { name: 'count', run: (n: number) => void ran.add(n) }
  const common = { scheduler: true, minTaskProcessors: 4, maxTaskProcessors: 4, leaseMs: 3_000 }
  return { ran, tasks: await openTasks({ ...common, ...options, define: [count] as never }, scope) }
}

/** Enqueues for a while; answers the numbers that were acknowledged. */
export async function enqueueFor(
  tasks: Tasks,
  ms: number,
  first: number,
  breakIt: () => Promise<unknown>,
): Promise<number[]> {
  const acknowledged: number[] = []
  const endsAt = performance.now() + ms
  let isBroken = false
  for (let n = first; performance.now() < endsAt; n += 1) {
    const enqueued: Enqueued | false = await tasks.enqueue('count', n).catch(() => false)
    if (enqueued) acknowledged.push(n)
    if (!isBroken && acknowledged.length >= 50) {
      isBroken = true
      await breakIt()
    }
    // A steady load: some hundred a second.
    await sleep(3)
  }
  assert.ok(isBroken)
  return acknowledged
}
