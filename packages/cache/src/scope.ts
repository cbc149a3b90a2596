// What the parts of one cache share: its connection, its namespace, its owner.
import { randomUUID } from 'node:crypto'
import { type RedisConnection, RepeatGuard } from 'fastify-ah-kit/redis'
import { ChangeQueue } from './change-queue.ts'
import { type CacheCounts, makeCounts } from './counts.ts'
import type { CacheKeys } from './keys.ts'
import type { LocalTier } from './local-tier.ts'
import type { SharedFlight } from './produce/shared-flight.ts'
import { Traffic } from './traffic.ts'

/** What is the same in all namespaces and for all owners of one registration. */
export interface ScopeOptions {
  readonly connection: RedisConnection
  readonly keys: CacheKeys
  readonly owner: string
  readonly lockMs: number
  readonly lockRetryMs: number
  /** How long the right to produce a value lasts without renewal, in ms. */
  readonly leaseMs: number
  /** In front of Redis; absent by default. */
  readonly local?: LocalTier | undefined
}

/** A cache's surroundings; a namespace or another owner is a copy with another `keys` or `owner`. */
export interface Scope extends ScopeOptions {
  readonly traffic: Traffic
  readonly changes: ChangeQueue
  readonly counts: CacheCounts
  /** The values that are on their way just now, for all who want them. */
  readonly flights: Map<string, SharedFlight>
  /** This process and registration, for what Redis notes of calls. */
  readonly origin: string
  /** The number of the next call that Redis takes note of; ascends. */
  readonly nextCall: () => number
}

export function makeScope(given: ScopeOptions): Scope {
  let calls = 0
  const traffic = new Traffic(given.connection, given.keys)
  return {
    ...given,
    origin: randomUUID(),
    traffic,
    changes: new ChangeQueue(new RepeatGuard(given.connection), traffic, given.local),
    counts: makeCounts(),
    flights: new Map(),
    nextCall: () => {
      calls += 1
      return calls
    },
  }
}
