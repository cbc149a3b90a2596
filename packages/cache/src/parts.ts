// What a cache consists of.
import { Counters } from './counters.ts'
import { Dumps } from './dump/dumps.ts'
import { Listing } from './listing.ts'
import { Lists } from './lists.ts'
import { Locks } from './locks.ts'
import { Produces } from './produce/produces.ts'
import { Reads } from './reads.ts'
import type { Scope } from './scope.ts'
import { Tags } from './tags.ts'
import { LockedRuns } from './with-lock.ts'
import { Writes } from './writes.ts'

/** The parts, each with its own verbs. */
export interface Parts {
  readonly reads: Reads
  readonly writes: Writes
  readonly produces: Produces
  readonly tags: Tags
  readonly locks: Locks
  readonly lockedRuns: LockedRuns
  readonly lists: Lists
  readonly counters: Counters
  readonly listing: Listing
  readonly dumps: Dumps
}

export function makeParts(scope: Scope): Parts {
  const reads = new Reads(scope)
  const listing = new Listing(scope)
  return {
    reads,
    writes: new Writes(scope),
    produces: new Produces(scope, reads),
    tags: new Tags(scope),
    locks: new Locks(scope),
    lockedRuns: new LockedRuns(scope),
    lists: new Lists(scope),
    counters: new Counters(scope),
    listing,
    dumps: new Dumps(scope, listing),
  }
}
