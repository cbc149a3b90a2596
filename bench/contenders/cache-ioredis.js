// Contender: what one writes by hand, a GET with JSON.parse and a SET with PX; with BENCH_AUTO_PIPELINING=1 ioredis
// gathers the commands of a tick.
import { Redis } from 'ioredis'
import { contend } from '../harness/contend.js'
import { EXPIRE_MS, KEYS, keyOf, userOf } from './cache-data.js'

await contend(async () => {
  const redis = new Redis(process.env.BENCH_REDIS, { enableAutoPipelining: process.env.BENCH_AUTO_PIPELINING === '1' })
  const save = (index) => redis.set(`plain:${keyOf(index)}`, JSON.stringify(userOf(index)), 'PX', EXPIRE_MS)
  for (let index = 0; index < KEYS; index += 1) await save(index)
  return {
    operations: {
      get: async (index) => {
        const value = JSON.parse(await redis.get(`plain:${keyOf(index)}`))
        if (value?.id !== index % KEYS) throw new Error(`expected ${index % KEYS}, got ${value?.id}`)
      },
      save,
    },
    close: () => redis.quit(),
  }
})
