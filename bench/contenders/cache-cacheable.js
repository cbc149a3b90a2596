// Contender: cacheable with Redis as its only store.
import { createKeyv } from '@keyv/redis'
import { Cacheable } from 'cacheable'
import { contend } from '../harness/contend.js'
import { EXPIRE_MS, expectHit, KEYS, keyOf, userOf } from './cache-data.js'

await contend(async () => {
  const cache = new Cacheable({ primary: createKeyv(process.env.BENCH_REDIS, { namespace: 'cacheable' }) })
  const save = (index) => cache.set(keyOf(index), userOf(index), EXPIRE_MS)
  for (let index = 0; index < KEYS; index += 1) await save(index)
  return {
    operations: { get: async (index) => expectHit((await cache.get(keyOf(index)))?.id, index), save },
    close: () => cache.disconnect(),
  }
})
