// Reads and writes at random through the local tier, notes what it read when, and says so. Arguments: the URL of Redis, a
// name for the values that it writes, how many writes, and the keys.
import process from 'node:process'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import fastify from 'fastify'
import { fastifyAhCache } from 'fastify-ah-cache'
import { Stalls } from '../stalls.ts'

const [redis = '', name = '', writes = '', ...keys] = process.argv.slice(2)
const app = fastify()
await app.register(fastifyAhCache, { redis, owner: name, local: { max: keys.length - 2 } })
await app.ready()
const { cache } = app

/** Key, what was read (null: nothing, false: refused as locked), and when the read began and ended, in ms since 1970. */
type Note = [key: string, value: string | null | false, begun: number, ended: number]

const tags = ['t0', 't1']
const notes: Note[] = []
let written = 0
let failed = 0

const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T

async function read(key: string): Promise<void> {
  const begun = Date.now()
  const value = await cache.get<string>(key).catch(refused)
  notes.push([key, value ?? null, begun, Date.now()])
}

/** Locked by another is an answer; a connection that was cut for too long is none. */
function refused(error: Error & { code?: string }): false | null {
  if (error.code === 'AH_CACHE_LOCKED') return false
  throw error
}

async function write(key: string): Promise<void> {
  written += 1
  const value = `${name}:${written}`
  const change = any([
    () => cache.save(key, value),
    () => cache.save(key, value),
    () => cache.save(key, value, 5 + Math.floor(Math.random() * 200)),
    () => cache.save(key, value, { tags: [any(tags)] }),
    () => cache.save(key, value, { tags }),
    () => cache.invalidateTags([any(tags)]),
    () => cache.destroy(key),
    () => cache.load(key, { expireMs: 5 + Math.floor(Math.random() * 200) }),
    () => cache.lock(key, 5 + Math.floor(Math.random() * 200)),
    async () => (await cache.lock(key)) && (await cache.save(key, value)) && (await cache.unlock(key)),
    () => cache.unlock(key),
  ])
  await change().catch((error: Error & { code?: string }) => {
    if (error.code !== 'AH_CACHE_NOT_FOUND') refused(error)
  })
}

async function work(): Promise<void> {
  while (written < Number(writes)) {
    try {
      const key = any(keys)
      if (Math.random() < 0.25) await write(key)
      // A read, a read that may find what that one kept, and one in the next turn.
      await read(key)
      await read(key)
      await nextTurn()
      await read(key)
      if (Math.random() < 0.3) await sleep(Math.random() * 4)
    } catch (error) {
      // Without an answer there is nothing to compare.
      if (!String((error as { code?: string }).code).startsWith('AH_KIT_REDIS_')) throw error
      failed += 1
    }
  }
}

process.on('message', async (wanted) => {
  if (wanted === 'work') {
    const stalls = new Stalls()
    await Promise.all([work(), work(), work()])
    stalls.stop()
    process.send?.({ notes, failed, stalls: stalls.spans, ...cache.local })
  }
  if (wanted === 'rest') {
    const values: Record<string, unknown> = {}
    for (const key of keys) {
      const first = await cache.get(key).catch(refused)
      // Time for it to be kept.
      await sleep(5)
      values[key] = [first ?? null, (await cache.get(key).catch(refused)) ?? null]
    }
    process.send?.({ values, ...cache.local })
  }
})
process.send?.('ready')
