// Contender: bentocache without its memory, so that every get and set goes to Redis as ours does.
import { BentoCache, bentostore } from 'bentocache'
import { redisDriver } from 'bentocache/drivers/redis'
import { contend } from '../harness/contend.js'
import { EXPIRE_MS, expectHit, KEYS, keyOf, userOf } from './cache-data.js'

await contend(async () => {
  const { hostname: host, port } = new URL(process.env.BENCH_REDIS)
  const connection = { host, port: Number(port) }
  const cache = new BentoCache({
    default: 'redis',
    prefix: 'bentocache-redis',
    stores: { redis: bentostore().useL2Layer(redisDriver({ connection })) },
  })
  const save = (index) => cache.set({ key: keyOf(index), value: userOf(index), ttl: EXPIRE_MS })
  for (let index = 0; index < KEYS; index += 1) await save(index)
  return {
    operations: { get: async (index) => expectHit((await cache.get({ key: keyOf(index) }))?.id, index), save },
    close: () => cache.disconnectAll(),
  }
})
