// Owns what tests of the local tier ask again and again: whether a read was answered from memory, and when it will be.
import assert from 'node:assert/strict'
import type { Cache } from 'fastify-ah-cache'
import { until } from 'fastify-ah-test-support'

/** What `get` answers, and whether Redis was asked for it. */
export async function ask(cache: Cache, key: string): Promise<{ value: unknown; from: 'memory' | 'Redis' }> {
  const before = cache.local!.hits
  const value = await cache.get(key)
  return { value, from: cache.local!.hits > before ? 'memory' : 'Redis' }
}

/** Reads the key until memory answers it; what it then answers. */
export async function warm(cache: Cache, key: string): Promise<unknown> {
  const known = await until(
    async () => {
      const answer = await ask(cache, key)
      return answer.from === 'memory' && answer
    },
    { what: `${key} is answered from memory`, everyMs: 2 },
  )
  return known.value
}

/** Waits until all that Redis was told before this call has been heard by the tier. */
export async function untilHeard(cache: Cache, write: (key: string, value: string) => Promise<unknown>): Promise<void> {
  const key = `heard ${performance.now()}`
  await cache.save(key, 0)
  assert.equal(await warm(cache, key), 0)
  const before = cache.local!.invalidations
  await write(key, '{"value":1,"createdAt":1}')
  await until(() => cache.local!.invalidations > before, { what: 'a change is heard', everyMs: 1 })
}

/** The tier is on, again or for the first time. */
export function untilTracking(cache: Cache): Promise<true> {
  return until(() => cache.local!.isTracking, { deadlineMs: 30_000, everyMs: 2, what: 'the tier is on' })
}

/** Another process changes all keys; each is then read as it is, whatever memory held. */
export async function changesAreSeen(cache: Cache, writer: Cache, names: readonly string[]): Promise<void> {
  for (const name of names) await until(() => writer.save(name, 'before'), { deadlineMs: 20_000 })
  for (const name of names) assert.equal(await warm(cache, name), 'before')
  const after = `after ${performance.now()}`
  for (const name of names) await writer.save(name, after)
  for (const name of names) await until(async () => (await cache.get(name)) === after, { deadlineMs: 1_000 })
  for (const name of names) assert.equal(await warm(cache, name), after)
}
