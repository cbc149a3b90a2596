// Contender: app.cache as a user has it, on a client of its own.
import Fastify from 'fastify'
import fastifyAhCache from 'fastify-ah-cache'
import { contend } from '../harness/contend.js'
import { EXPIRE_MS, expectHit, KEYS, keyOf, userOf } from './cache-data.js'

await contend(async () => {
  const app = Fastify()
  await app.register(fastifyAhCache, { redis: process.env.BENCH_REDIS })
  await app.ready()
  for (let index = 0; index < KEYS; index += 1) await app.cache.save(keyOf(index), userOf(index), EXPIRE_MS)
  return {
    operations: {
      get: async (index) => expectHit((await app.cache.get(keyOf(index)))?.id, index),
      load: async (index) => expectHit((await app.cache.load(keyOf(index))).value.id, index),
      save: (index) => app.cache.save(keyOf(index), userOf(index), EXPIRE_MS),
    },
    close: () => app.close(),
  }
})
