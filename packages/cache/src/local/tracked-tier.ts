// The local tier: values of this process's memory in place of a round trip, as long as Redis names every key that changes.
import type { FastifyBaseLogger } from 'fastify'
import type { RedisConnection } from 'fastify-ah-kit/redis'
import type { Entry, TagVersion } from '../entry.ts'
import type { CacheKeys } from '../keys.ts'
import type { Found, Known, LocalStats, LocalTier } from '../local-tier.ts'
import type { LocalOptions } from '../options.ts'
import { Ends } from './ends.ts'
import { type Fill, Memory } from './memory.ts'
import { Tracking } from './tracking.ts'
import { Turn } from './turn.ts'

/** What a {@link TrackedTier} is made of. */
export interface TrackedTierOptions extends LocalOptions {
  readonly connection: RedisConnection
  /** Those of the whole cache, outside of all namespaces. */
  readonly keys: CacheKeys
  readonly log: FastifyBaseLogger
}

/** An entry in memory. */
interface Kept extends Known {
  /** Not to be served from then on, in ms of the monotonic clock. */
  readonly endsAt: number
}

// However the network fails: what is served was known to Redis's word of at most so long ago, in ms.
const leaseMs = 1000

/**
 * Serves an entry only if it was read while all changes were heard, none was heard since the read began, and the last
 * proof that they are heard is young.
 *
 * Kept is what nobody had locked: memory is shared by all owners in this process, and a lock that is taken later drops
 * the entry as a write does. Misses are not kept: a miss is mostly followed by a save, and random keys would push out
 * what is asked for again. The versions of tags are kept beside the values: a value is current if its tags have in memory
 * the versions that it was saved with.
 */
export class TrackedTier implements LocalTier {
  readonly #options: TrackedTierOptions
  readonly #memory: Memory<Kept>
  /** Of tags, by their Redis keys; 0 for those that were never invalidated. */
  readonly #versions: Memory<{ readonly version: number }>
  readonly #tracking: Tracking
  readonly #turn = new Turn()
  readonly #ends: Ends
  readonly #valuePrefix: string
  readonly #lockPrefix: string
  readonly #tagPrefix: string
  #hits = 0
  #misses = 0
  #invalidations = 0

  constructor(options: TrackedTierOptions) {
    const { connection, keys, log, max } = options
    this.#options = options
    this.#memory = new Memory(max)
    this.#versions = new Memory(max)
    this.#ends = new Ends(connection)
    this.#valuePrefix = keys.valuePrefix
    this.#lockPrefix = keys.lockPrefix
    this.#tagPrefix = keys.tagPrefix
    this.#tracking = new Tracking({
      connection,
      log,
      prefixes: [this.#valuePrefix, this.#lockPrefix, this.#tagPrefix],
      proofPrefix: keys.localProofPrefix,
      onKeys: (changed) => this.#forget(changed),
    })
  }

  get stats(): LocalStats {
    return {
      isTracking: this.#tracking.isOpen,
      entries: this.#memory.size,
      hits: this.#hits,
      misses: this.#misses,
      invalidations: this.#invalidations,
    }
  }

  /** Begins to track; resolves when it is on, or will not be soon. Until it is on, nothing is kept or found. */
  start(): Promise<void> {
    this.#turn.start()
    return this.#tracking.start()
  }

  /** Ends within two seconds. Twice is fine. */
  async close(): Promise<void> {
    this.#turn.stop()
    await Promise.all([this.#tracking.close(), this.#ends.close()])
  }

  recall(name: string, areTagsKnown?: (tags: readonly TagVersion[]) => boolean): Known | undefined {
    const kept = this.#memory.find(name)
    if (kept === undefined) return undefined
    const now = performance.now()
    if (now >= kept.endsAt) {
      this.#memory.expire(name)
      return undefined
    }
    if (now >= this.#turn.freshUntil(now, this.#leaseEnd)) return undefined
    const { tags } = kept.entry
    if (tags !== undefined && areTagsKnown !== undefined && !areTagsKnown(tags)) return undefined
    this.#hits += 1
    return kept
  }

  find(value: string): Found | undefined {
    const kept = this.recall(this.#options.keys.nameOfValue(value))
    return kept && { entry: kept.entry, holder: null }
  }

  asks(value: string): Fill | undefined {
    this.#misses += 1
    return this.#tracking.isOpen ? this.#memory.begin(this.#options.keys.nameOfValue(value)) : undefined
  }

  answered(fill: Fill | undefined, found: Found): Found {
    const { entry, holder } = found
    if (fill === undefined) return found
    if (entry !== undefined && holder === null && !fill.isBroken && !fill.isTaken) void this.#keep(fill, entry)
    this.#memory.end(fill)
    return found
  }

  failed(fill: Fill | undefined): void {
    if (fill !== undefined) this.#memory.end(fill)
  }

  version(tag: string): number | undefined {
    const kept = this.#versions.find(tag)
    const now = performance.now()
    return now < this.#turn.freshUntil(now, this.#leaseEnd) ? kept?.version : undefined
  }

  async versionOf(tag: string, ask: () => Promise<number>): Promise<number> {
    const known = this.version(tag)
    if (known !== undefined) return known
    const fill = this.#tracking.isOpen ? this.#versions.begin(tag) : undefined
    try {
      const version = await ask()
      if (fill !== undefined) this.#versions.keep(fill, { version })
      return version
    } finally {
      if (fill !== undefined) this.#versions.end(fill)
    }
  }

  writeBegins(key: string): void {
    this.#drop(key)
  }

  // What began meanwhile may have been answered before the write, if that was sent again after a cut.
  writeEnds(key: string): void {
    this.#drop(key)
  }

  /** Keeps it once its end is known. */
  async #keep(fill: Fill, entry: Entry): Promise<void> {
    fill.isTaken = true
    fill.holders += 1
    const { keys, log, ttlMs = Number.POSITIVE_INFINITY } = this.#options
    try {
      const end = await this.#ends.endOf(keys.value(fill.name))
      if (end === undefined) return
      const now = performance.now()
      // What is old is nobody's but `getOrSet`'s, which has to see that Redis holds no newer one.
      const { staleAt: entryEnd = entry.expiresAt } = entry
      const ownEnd = entryEnd === undefined ? Number.POSITIVE_INFINITY : now + entryEnd - Date.now()
      const endsAt = Math.min(end, ownEnd, now + ttlMs)
      if (endsAt > now) this.#memory.keep(fill, { entry, answer: Promise.resolve(entry.value), endsAt })
    } catch (err) {
      log.debug({ err }, 'a value was not kept in memory: Redis did not say when it ends')
    } finally {
      fill.isTaken = false
      this.#memory.end(fill)
    }
  }

  readonly #leaseEnd = (): number => this.#tracking.provenAt + leaseMs

  #forget(changed: readonly Buffer[] | undefined): void {
    if (changed === undefined) {
      this.#memory.clear()
      this.#versions.clear()
    } else for (const bytes of changed) if (this.#drop(bytes.toString())) this.#invalidations += 1
  }

  /** Of a value, a lock or a tag; whether there was something to forget. */
  #drop(key: string): boolean {
    const { keys } = this.#options
    if (key.startsWith(this.#valuePrefix)) return this.#memory.drop(keys.nameOfValue(key))
    if (key.startsWith(this.#lockPrefix)) return this.#memory.drop(keys.nameOfLock(key))
    if (key.startsWith(this.#tagPrefix)) return this.#versions.drop(key)
    return false
  }
}
