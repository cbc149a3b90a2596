// Measures the caches of an app, by the counts that they keep themselves.
import type { Instruments, Readings } from './instruments.ts'
import type { CacheCount, LocalCounts, MeasuredCache } from './types.ts'

const counts: readonly (readonly [name: string, help: string, count: CacheCount])[] = [
  ['hits', 'Values that were asked for and were there.', 'hits'],
  ['misses', 'Values that were asked for and were not there.', 'misses'],
  ['unreadable', 'Stored values that could not be read; each was a miss.', 'unreadable'],
  ['saves', 'Values that were stored.', 'saves'],
  ['produced', 'Values that getOrSet had made here.', 'produced'],
  ['produce_failures', 'Runs of a produce function here that failed or took too long.', 'produceFailed'],
  ['produce_waits', 'Calls of getOrSet that waited for a run that was not their own.', 'waited'],
  ['stale_served', 'Calls of getOrSet that were answered an old value.', 'staleServed'],
  ['discarded', 'Values that were made and not stored: the key had been written meanwhile.', 'discarded'],
  ['locks', 'Locks that were taken.', 'locked'],
  ['locks_lost', 'Locks of withLock that were lost while their work ran.', 'locksLost'],
  ['locks_left', 'Locks of withLock that could not be given up and ended by themselves.', 'locksLeft'],
]

const localCounts: readonly (readonly [name: string, help: string, count: keyof LocalCounts])[] = [
  ['local_hits', 'Reads that were answered from memory.', 'hits'],
  ['local_misses', 'Reads that the memory had no answer for.', 'misses'],
  ['local_invalidations', 'Values that were forgotten because Redis named their key.', 'invalidations'],
]

/** `caches`: by their decorator. */
export function measureCaches(caches: ReadonlyMap<string, MeasuredCache>, instruments: Instruments): void {
  const labels = ['cache']
  for (const [name, help, count] of counts) {
    instruments.counted({ name: `cache_${name}_total`, help, labels }, () =>
      [...caches].map(([cache, measured]) => [{ cache }, measured.stats()[count]] as const),
    )
  }
  const local = (count: keyof LocalCounts): Readings =>
    [...caches].flatMap(([cache, measured]) => {
      const { local: tier } = measured.stats()
      return tier === undefined ? [] : [[{ cache }, tier[count]] as const]
    })
  for (const [name, help, count] of localCounts) {
    instruments.counted({ name: `cache_${name}_total`, help, labels }, () => local(count))
  }
  instruments.shown({ name: 'cache_local_entries', help: 'Values in memory.', labels }, () => local('entries'))
}
