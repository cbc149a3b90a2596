// Contender: the algorithm of ActionHero 29's cache, where every step is a round trip of its own. A load asks for the
// lock, reads, and asks for the lock again; a save asks for the lock, writes, and then sets the time to live.
import { Redis } from 'ioredis'
import { contend } from '../harness/contend.js'
import { EXPIRE_MS, KEYS, keyOf, userOf } from './cache-data.js'

await contend(async () => {
  const redis = new Redis(process.env.BENCH_REDIS)
  const owner = `bench-${process.pid}`

  async function refuseLocked(key) {
    const holder = await redis.get(`three-trips:lock:${key}`)
    if (holder !== null && holder !== owner) throw new Error(`${key} is locked`)
  }

  async function load(index) {
    const key = keyOf(index)
    await refuseLocked(key)
    const { value, createdAt } = JSON.parse(await redis.get(`three-trips:cache:${key}`))
    await refuseLocked(key)
    if (value.id !== index % KEYS) throw new Error(`expected ${index % KEYS}, got ${value.id}`)
    return { key, value, createdAt }
  }

  async function save(index) {
    const key = keyOf(index)
    const stored = JSON.stringify({ value: userOf(index), createdAt: Date.now() })
    await refuseLocked(key)
    await redis.set(`three-trips:cache:${key}`, stored)
    await redis.pexpire(`three-trips:cache:${key}`, EXPIRE_MS)
  }

  for (let index = 0; index < KEYS; index += 1) await save(index)
  return { operations: { load, save }, close: () => redis.quit() }
})
