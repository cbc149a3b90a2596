// Contender: bentocache as its documentation sets it up, memory in front of Redis with a bus between the processes.
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { contend } from '../harness/contend.js'
import { EXPIRE_MS, expectHit, KEYS, keyOf, userOf } from './cache-data.js'

await contend(async () => {
  const { hostname: host, port } = new URL(process.env.BENCH_REDIS)
  const connection = { host, port: Number(port) }
  const cache = new BentoCache({
    default: 'tiered',
    stores: {
      tiered: bentostore()
        .useL1Layer(memoryDriver({ maxItems: 2 * KEYS }))
        .useL2Layer(redisDriver({ connection }))
        .useBus(redisBusDriver({ connection })),
    },
  })
  for (let index = 0; index < KEYS; index += 1) {
    await cache.set({ key: keyOf(index), value: userOf(index), ttl: EXPIRE_MS })
  }
  return {
    operations: { get: async (index) => expectHit((await cache.get({ key: keyOf(index) }))?.id, index) },
    close: () => cache.disconnectAll(),
  }
})
