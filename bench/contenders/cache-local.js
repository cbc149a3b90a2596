// Contender: app.cache with the local tier, all values in memory.
import Fastify from 'fastify'
import fastifyAhCache from 'fastify-ah-cache'
import { contend } from '../harness/contend.js'
import { EXPIRE_MS, expectHit, KEYS, keyOf, userOf } from './cache-data.js'

await contend(async () => {
  const app = Fastify()
  await app.register(fastifyAhCache, { redis: process.env.BENCH_REDIS, prefix: 'local:', local: { max: 2 * KEYS } })
  await app.ready()
  for (let index = 0; index < KEYS; index += 1) await app.cache.save(keyOf(index), userOf(index), EXPIRE_MS)
  while (app.cache.local.entries < KEYS) {
    for (let index = 0; index < KEYS; index += 1) await app.cache.get(keyOf(index))
  }
  return {
    operations: {
      get: async (index) => expectHit((await app.cache.get(keyOf(index)))?.id, index),
      load: async (index) => expectHit((await app.cache.load(keyOf(index))).value.id, index),
    },
    close: () => app.close(),
  }
})
