// What the parts of one cache share: its connection, its namespace, its owner.
import { randomUUID } from 'node:crypto'
import { type RedisConnection, RepeatGuard } from 'fastify-ah-kit/redis'
import type { CacheKeys } from './keys.ts'
import { ListQueue } from './list-queue.ts'
import type { LocalTier } from './local-tier.ts'
import { Traffic } from './traffic.ts'
import { UnreadableCount } from './unreadable.ts'

/** What is the same in all namespaces and for all owners of one registration. */
export interface ScopeOptions {
  readonly connection: RedisConnection
  readonly keys: CacheKeys
  readonly owner: string
  readonly lockMs: number
  readonly lockRetryMs: number
  /** In front of Redis; absent by default. */
  readonly local?: LocalTier | undefined
}

/** A cache's surroundings; a namespace or another owner is a copy with another `keys` or `owner`. */
export interface Scope extends ScopeOptions {
  readonly traffic: Traffic
  readonly lists: ListQueue
  readonly unreadable: UnreadableCount
  /** This process and registration, for what Redis notes of calls. */
  readonly origin: string
  /** The number of the next call that Redis takes note of; ascends. */
  readonly nextCall: () => number
}

export function makeScope(given: ScopeOptions): Scope {
  let calls = 0
  const traffic = new Traffic(given.connection)
  return {
    ...given,
    origin: randomUUID(),
    traffic,
    lists: new ListQueue(new RepeatGuard(given.connection), traffic, given.local),
    unreadable: new UnreadableCount(),
    nextCall: () => {
      calls += 1
      return calls
    },
  }
}
