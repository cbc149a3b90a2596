// The package's exports, and what it adds to Fastify's types.
import type { Cache } from './cache.ts'

export type { Cache } from './cache.ts'
export type { CacheStats } from './counts.ts'
export {
  AH_CACHE_DUMP_BROKEN,
  AH_CACHE_DUMP_FILE,
  AH_CACHE_DURATION,
  AH_CACHE_FENCED,
  AH_CACHE_KEY,
  AH_CACHE_LOCK_LOST,
  AH_CACHE_LOCKED,
  AH_CACHE_NAMESPACE,
  AH_CACHE_NOT_A_LIST,
  AH_CACHE_NOT_A_NUMBER,
  AH_CACHE_NOT_FOUND,
  AH_CACHE_OPTIONS,
  AH_CACHE_OWNER,
  AH_CACHE_PRODUCE_TIMEOUT,
  AH_CACHE_VALUE,
} from './errors.ts'
export type { LocalStats } from './local-tier.ts'
export { type CacheOptions, type LocalOptions, options, type ParsedCacheOptions } from './options.ts'
export { type CacheRegistry, default, fastifyAhCache, fastifyAhCache as 'module.exports' } from './plugin.ts'
export type { CacheTrace } from './traces.ts'
export type {
  Frozen,
  HeldLock,
  IncrementOptions,
  LoadedEntry,
  LoadOptions,
  LockedRun,
  ProduceOptions,
  Producer,
  Retry,
  SaveItem,
  SaveOptions,
  WaitOptions,
  WithLockOptions,
} from './types.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The shared cache of `fastify-ah-cache`. */
    cache: Cache
  }
}
