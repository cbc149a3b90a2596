// Contender: what one writes by hand on the other client of Redis, which writes a tick's commands together.
import { createClient } from 'redis'
import { contend } from '../harness/contend.js'
import { EXPIRE_MS, expectHit, KEYS, keyOf, userOf } from './cache-data.js'

await contend(async () => {
  const redis = await createClient({ url: process.env.BENCH_REDIS }).connect()
  const save = (index) =>
    redis.set(`node-redis:${keyOf(index)}`, JSON.stringify(userOf(index)), {
      expiration: { type: 'PX', value: EXPIRE_MS },
    })
  for (let index = 0; index < KEYS; index += 1) await save(index)
  return {
    operations: {
      get: async (index) => expectHit(JSON.parse(await redis.get(`node-redis:${keyOf(index)}`))?.id, index),
      save,
    },
    close: () => redis.close(),
  }
})
