// What the caches of one registration did, in numbers.

import type { LocalStats } from './local-tier.ts'

/** Counts since the start, of all namespaces and owners of one registration of the plugin. */
export interface CacheCounts {
  /** Values asked for, by `get`, `load`, `loadMany` and `getOrSet`. Each was a hit, a miss, or an error. */
  gets: number
  hits: number
  misses: number
  /** Stored values and elements that could not be read: no JSON, not ours, or with a `__proto__`. Each was a miss. */
  unreadable: number
  /** Values stored by `save` and `saveMany`. */
  saves: number
  /** Runs of a `produce` function here that ended with a value. */
  produced: number
  /** Runs here, however they ended, that nobody waited for: an old or ending value was answered meanwhile. */
  refreshed: number
  /** Runs that ended with an error or in no time. */
  produceFailed: number
  /** Calls of `getOrSet` that waited for a run that was not their own, here or in another process. */
  waited: number
  /** Calls of `getOrSet` that were answered an old value: while it was refreshed, or because that failed. */
  staleServed: number
  /** Produced values that were not stored: the lease was another's by then, or the key had been written meanwhile. */
  discarded: number
  /** Locks taken by `lock` and `withLock`. */
  locked: number
  /** Locks of `withLock` that were lost while their work ran. */
  locksLost: number
  /** Locks of `withLock` that could not be given up when the work was done; they ended by themselves. */
  locksLeft: number
}

/** What `stats` answers. */
export interface CacheStats extends Readonly<CacheCounts> {
  /** The local tier's; undefined without the option `local`. */
  readonly local: LocalStats | undefined
}

export function makeCounts(): CacheCounts {
  return {
    gets: 0,
    hits: 0,
    misses: 0,
    unreadable: 0,
    saves: 0,
    produced: 0,
    refreshed: 0,
    produceFailed: 0,
    waited: 0,
    staleServed: 0,
    discarded: 0,
    locked: 0,
    locksLost: 0,
    locksLeft: 0,
  }
}
