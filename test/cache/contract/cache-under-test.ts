// Owns what the contract needs to know of the cache that it is run against.
import type { Cache } from 'fastify-ah-cache'
import type { Cluster, Redis } from 'ioredis'

export interface CacheUnderTest {
  readonly cache: Cache
  /** A client of its own on the same Redis, to look behind the cache's back. */
  readonly redis: Redis | Cluster
  /** The Redis key of a value or list. */
  readonly valueKey: (name: string) => string
  /** The Redis key of a lock. */
  readonly lockKey: (name: string) => string
}

let names = 0

/** A key that no other test of this process uses. */
export function freshName(stem: string): string {
  names += 1
  return `${stem} ${names}`
}
