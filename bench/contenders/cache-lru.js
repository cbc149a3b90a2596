// Contender: the limit, an `await` around a get of lru-cache, which knows nothing of Redis and other processes.
import { LRUCache } from 'lru-cache'
import { contend } from '../harness/contend.js'
import { expectHit, KEYS, keyOf, userOf } from './cache-data.js'

await contend(async () => {
  const cache = new LRUCache({ max: 2 * KEYS })
  for (let index = 0; index < KEYS; index += 1) cache.set(keyOf(index), userOf(index))
  return {
    operations: { get: async (index) => expectHit((await cache.get(keyOf(index)))?.id, index) },
    close: async () => cache.clear(),
  }
})
