// The place for a tier in this process in front of Redis: what it is asked and told. Without one, nothing stands here.
import type { Entry, TagVersion } from './entry.ts'

/** What a read of a value and its lock finds. */
export interface Found {
  /** Undefined for a miss. Whether it has ended since is for the reader to see. */
  readonly entry: Entry | undefined
  /** Who holds the lock; null if it is free. */
  readonly holder: string | null
}

/** An entry that memory holds. */
export interface Known {
  readonly entry: Entry
  /** What `get` answers: one promise for all hits, since making one costs as much as finding the entry. */
  readonly answer: Promise<unknown>
}

/** What the local tier did so far. */
export interface LocalStats {
  /** Whether Redis names all keys that change; while it does not, every read goes to Redis. */
  readonly isTracking: boolean
  /** Values in memory now. */
  readonly entries: number
  /** Reads answered from memory. */
  readonly hits: number
  /** Reads that went to Redis. */
  readonly misses: number
  /** Values that were forgotten because Redis named their key or its lock. */
  readonly invalidations: number
}

/** A read that is under way; what it is made of is the tier's own business. */
export type ReadMark = object | undefined

/**
 * Sees every read of a (value key, lock key), and the beginning and end of everything that this process writes to a
 * value key, a lock key or a tag's key. Keys are Redis keys.
 *
 * A read goes: `find`, and if that knows nothing `asks`, the trip to Redis, then `answered` or `failed`. A write goes:
 * `writeBegins` before anything is sent (in the very call, so that a read of the same tick no longer finds the old value),
 * and `writeEnds` when it is answered, or will never be.
 */
export interface LocalTier {
  readonly stats: LocalStats
  /**
   * What is known of a name (that of the whole cache, outside of all namespaces) and may be handed out as it is; a value
   * with tags only if `areTagsKnown` says that they are, and unchanged.
   */
  recall(name: string, areTagsKnown: (tags: readonly TagVersion[]) => boolean): Known | undefined
  /** What is known to be what Redis holds; undefined if Redis has to be asked. */
  find(value: string, lock: string): Found | undefined
  /** A read leaves now. */
  asks(value: string, lock: string): ReadMark
  /** It was answered: keeps it unless something happened to either key meanwhile. Answers what to hand out. */
  answered(mark: ReadMark, found: Found): Found
  /** It will not be answered. */
  failed(mark: ReadMark): void
  /** The version of a tag, by its key, if it is known. */
  version(tag: string): number | undefined
  /** Likewise; what `ask` finds in Redis if it is not. */
  versionOf(tag: string, ask: () => Promise<number>): Promise<number>
  writeBegins(key: string): void
  writeEnds(key: string): void
}

/** Runs a write of this process's own to `keys`, seen by the tier from before its sending until after its reply. */
export function ownWrite<T>(tier: LocalTier | undefined, keys: readonly string[], write: () => Promise<T>): Promise<T> {
  return tier === undefined ? write() : watched(tier, keys, write)
}

async function watched<T>(tier: LocalTier, keys: readonly string[], write: () => Promise<T>): Promise<T> {
  for (const key of keys) tier.writeBegins(key)
  try {
    return await write()
  } finally {
    for (const key of keys) tier.writeEnds(key)
  }
}
