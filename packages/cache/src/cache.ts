// The cache as its users see it.
import type { CacheStats } from './counts.ts'
import type { LocalStats } from './local-tier.ts'
import { checkNamespaceName } from './namespace-name.ts'
import { checkOwner } from './owner.ts'
import { makeParts, type Parts } from './parts.ts'
import type { Scope } from './scope.ts'
import { traced, traces } from './traces.ts'
import type {
  HeldLock,
  IncrementOptions,
  LoadedEntry,
  LoadOptions,
  LockedRun,
  ProduceOptions,
  Producer,
  SaveItem,
  SaveOptions,
  WaitOptions,
  WithLockOptions,
} from './types.ts'

/**
 * A shared cache: what one process saves, all load. Each call is one atomic step in Redis.
 *
 * Every method rejects with `AH_CACHE_KEY` for what is no key, and with `AH_KIT_REDIS_DOWN`, `…_TIMEOUT`,
 * `…_UNCERTAIN` or `…_REFUSED` if Redis does not do its part within 5 s. A key that another owner locked cannot be
 * read, written or removed: `AH_CACHE_LOCKED`.
 */
export class Cache {
  readonly #scope: Scope
  readonly #parts: Parts

  constructor(scope: Scope) {
    this.#scope = scope
    this.#parts = makeParts(scope)
  }

  /** Who the locks of this cache belong to. */
  get owner(): string {
    return this.#scope.owner
  }

  /** What this registration did since the start, in numbers; namespaces and owners included. */
  stats(): CacheStats {
    return { ...this.#scope.counts, local: this.local }
  }

  /** How many stored values and elements could not be read: no JSON, not ours, or with a `__proto__`. Each was a miss. */
  get unreadable(): number {
    return this.#scope.counts.unreadable
  }

  /** What the local tier of this app did so far; undefined without the option `local`. */
  get local(): LocalStats | undefined {
    return this.#scope.local?.stats
  }

  /**
   * Stores a value, a second one in place of the first.
   *
   * @param expireMs how long, in ms; without it, for ever
   * @throws `AH_CACHE_VALUE` for what JSON cannot hold, `AH_CACHE_DURATION`, `AH_CACHE_LOCKED`
   */
  save(key: string, value: unknown, expireMs?: number | null | SaveOptions): Promise<true> {
    return traced(traces.save, this.#scope, key, () => this.#parts.writes.save(key, value, expireMs))
  }

  /**
   * The value with the time at which it was saved; with `expireMs` it lives that long from now on.
   *
   * @throws `AH_CACHE_NOT_FOUND`, `AH_CACHE_LOCKED`, `AH_CACHE_DURATION`
   */
  load<T = unknown>(key: string, options?: LoadOptions): Promise<LoadedEntry<T>> {
    return traced(traces.load, this.#scope, key, () => this.#parts.reads.load<T>(key, options))
  }

  /** The value, or undefined if there is none. Throws `AH_CACHE_LOCKED`, `AH_CACHE_DURATION`. */
  get<T = unknown>(key: string, options?: WaitOptions): Promise<T | undefined> {
    // What memory answers takes a fraction of a microsecond: no function is made for it.
    if (!traces.get.hasSubscribers) return this.#parts.reads.get<T>(key, options)
    return traced(traces.get, this.#scope, key, () => this.#parts.reads.get<T>(key, options))
  }

  /**
   * Stores many values; each as `save` would. Rejects with the first error once all have ended: the others are stored
   * then. Calls of `save` in one tick leave together too, and tell of each by itself.
   */
  saveMany(items: readonly SaveItem[]): Promise<true> {
    return this.#parts.writes.saveMany(items)
  }

  /**
   * Many values in the order of their keys, undefined for a miss.
   *
   * @throws `AH_CACHE_LOCKED` if another owner holds one of the keys
   */
  loadMany<T = unknown>(keys: readonly string[], options?: WaitOptions): Promise<(LoadedEntry<T> | undefined)[]> {
    return this.#parts.reads.loadMany<T>(keys, options)
  }

  /**
   * The value; if there is none, what `produce` makes of it, stored. It runs once in the whole cluster at a time: who asks
   * meanwhile waits for its outcome, also for its error. What is answered has gone through JSON, the first time too.
   *
   * @throws what `produce` throws, `AH_CACHE_PRODUCE_TIMEOUT`, `AH_CACHE_LOCKED`, `AH_CACHE_VALUE`, `AH_CACHE_OPTIONS`
   */
  getOrSet<T = unknown>(key: string, options: ProduceOptions, produce: Producer<T>): Promise<T> {
    return traced(traces.getOrSet, this.#scope, key, () => this.#parts.produces.getOrSet(key, options, produce))
  }

  /** All values that were saved with one of these tags are gone from now on. One write for each tag. */
  invalidateTags(tags: readonly string[]): Promise<true> {
    return this.#parts.tags.invalidateTags(tags)
  }

  /** Removes a value or a list; whether there was one. Throws `AH_CACHE_LOCKED`. */
  destroy(key: string): Promise<boolean> {
    return traced(traces.destroy, this.#scope, key, () => this.#parts.writes.destroy(key))
  }

  /** The keys that begin with `prefix`, as they were given to `save` and `push`, in no order. */
  keys(prefix?: string): Promise<string[]> {
    return this.#parts.listing.keys(prefix)
  }

  /** How many keys there are. Goes through all of them. */
  size(): Promise<number> {
    return this.#parts.listing.size()
  }

  /**
   * Removes the keys that begin with `prefix`, locked ones too, in batches; how many. Locks stay. What `getOrSet` produces
   * just now is not stored.
   */
  clear(prefix?: string): Promise<number> {
    return this.#parts.listing.clear(prefix)
  }

  /**
   * Appends to the list.
   *
   * @throws `AH_CACHE_VALUE`, `AH_CACHE_LOCKED`, `AH_CACHE_NOT_A_LIST`
   */
  push(key: string, item: unknown): Promise<true> {
    return traced(traces.push, this.#scope, key, () => this.#parts.lists.push(key, item))
  }

  /**
   * Takes the first element off the list; null if there is none.
   *
   * @throws `AH_CACHE_LOCKED`, `AH_CACHE_NOT_A_LIST`
   */
  pop<T = unknown>(key: string): Promise<T | null> {
    return traced(traces.pop, this.#scope, key, () => this.#parts.lists.pop<T>(key))
  }

  /** How many elements the list has; 0 if there is none. Throws `AH_CACHE_NOT_A_LIST`. */
  listLength(key: string): Promise<number> {
    return this.#parts.lists.listLength(key)
  }

  /**
   * Adds to the whole number under the key, 0 if there is none, and answers the sum. It counts once, whatever happens to
   * the connection.
   *
   * @throws `AH_CACHE_NOT_A_NUMBER`, `AH_CACHE_LOCKED`, `AH_CACHE_VALUE` for what cannot be added
   */
  increment(key: string, by?: number, options?: IncrementOptions): Promise<number> {
    return traced(traces.increment, this.#scope, key, () => this.#parts.counters.increment(key, by, options))
  }

  /**
   * Runs work while it holds the lock of the key, and answers what the work does. The lock is renewed as long as it runs.
   *
   * @throws `AH_CACHE_LOCKED` if the lock is not free within `waitMs`, `AH_CACHE_LOCK_LOST` if it was lost meanwhile
   */
  withLock<T>(key: string, options: WithLockOptions, run: LockedRun<T>): Promise<T> {
    return traced(traces.withLock, this.#scope, key, () => this.#parts.lockedRuns.withLock(key, options, run))
  }

  /**
   * Locks a key for this owner; false if anybody holds it, this owner included. Ends by itself after `ms` (default:
   * the option `lockMs`).
   *
   * @throws `AH_CACHE_DURATION`
   */
  lock(key: string, ms?: number): Promise<boolean> {
    return traced(traces.lock, this.#scope, key, () => this.#parts.locks.lock(key, ms))
  }

  /** Gives up the lock. True if the key is free now; false if another owner holds it, who keeps it. */
  unlock(key: string): Promise<boolean> {
    return this.#parts.locks.unlock(key)
  }

  /** True if the key is free or locked by this owner. Throws `AH_CACHE_DURATION`. */
  checkLock(key: string, options?: WaitOptions): Promise<boolean> {
    return this.#parts.locks.checkLock(key, options)
  }

  /** The locks on keys that begin with `prefix`, with their owners. */
  locks(prefix?: string): Promise<HeldLock[]> {
    return this.#parts.locks.locks(prefix)
  }

  /**
   * Writes all values and lists with their ends to a file that only this user may read; how many. The file appears
   * when it is complete.
   *
   * @throws `AH_CACHE_DUMP_FILE`
   */
  dumpWrite(file: string): Promise<number> {
    return this.#parts.dumps.dumpWrite(file)
  }

  /**
   * Replaces what is here by what `dumpWrite`, or ActionHero, wrote to the file; how many keys. What has ended since is
   * left out. The file is checked to its end first.
   *
   * @throws `AH_CACHE_DUMP_BROKEN`, `AH_CACHE_DUMP_FILE`: nothing was changed
   */
  dumpRead(file: string): Promise<number> {
    return this.#parts.dumps.dumpRead(file)
  }

  /**
   * The same cache with locks of its own: two callers in one process that must exclude each other.
   *
   * @throws `AH_CACHE_OWNER` for an empty id
   */
  withOwner(id: string): Cache {
    checkOwner(id)
    return new Cache({ ...this.#scope, owner: id })
  }

  /**
   * A cache of its own below `<name>:` in this one: `keys`, `clear`, `locks` and dumps see nothing else.
   *
   * @throws `AH_CACHE_NAMESPACE` for a name that is empty or holds ":" or control characters
   */
  namespace(name: string): Cache {
    checkNamespaceName(name)
    return new Cache({ ...this.#scope, keys: this.#scope.keys.below(name) })
  }
}
