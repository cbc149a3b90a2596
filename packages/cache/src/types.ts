// The shapes that callers of the cache pass and get.

/**
 * How long to wait for a lock that another owner holds: a number of ms, `true` for `lockMs`, `false` or nothing for not
 * at all.
 */
export type Retry = number | boolean

/** How `save` keeps a value. */
export interface SaveOptions {
  /** Gone after this many ms; without it, or with `null`, the value stays until it is destroyed. */
  readonly expireMs?: number | null | undefined
  /** Share of `expireMs`, 0 to 1, by which it is shortened at random: what was saved together does not end together. */
  readonly jitter?: number | undefined
  /** The value is gone once one of these is invalidated; see `invalidateTags`. */
  readonly tags?: readonly string[] | undefined
  /** From `withLock`: refused with `AH_CACHE_FENCED` if the key was locked by another since. */
  readonly fencingToken?: number | undefined
}

/** How `increment` begins a counter. */
export interface IncrementOptions {
  /** A counter that this call begins is gone after this many ms; one that is there keeps its end. */
  readonly expireMs?: number | null | undefined
}

/** How `withLock` locks. */
export interface WithLockOptions {
  /** The lock ends this many ms after its last renewal, 30 at least; default: the option `lockMs`. */
  readonly ms?: number | undefined
  /** How long to wait for a lock that is held, in ms; default 0, not at all. */
  readonly waitMs?: number | undefined
}

/**
 * What runs under a lock. The signal is aborted when the lock is lost; the token, handed to `save`, keeps a holder that
 * does not know yet from overwriting what the next one wrote.
 */
export type LockedRun<T> = (signal: AbortSignal, fencingToken: number) => T | Promise<T>

/** How `getOrSet` finds, produces and keeps a value. */
export interface ProduceOptions {
  /** How long the value is new, in ms; without it, for ever. */
  readonly expireMs?: number | null | undefined
  /** Share of `expireMs`, 0 to 1, by which it is shortened at random. */
  readonly jitter?: number | undefined
  /** For this long after that the old value is answered at once, while one run refreshes it. */
  readonly staleMs?: number | null | undefined
  /** For this long after `expireMs` the old value is answered if the producer fails or takes too long. */
  readonly staleIfErrorMs?: number | null | undefined
  /** In the last ms before the value grows old it is refreshed, the nearer its end the more likely, while it is answered. */
  readonly earlyMs?: number | null | undefined
  /** The value is gone once one of these is invalidated, also while it is being produced. */
  readonly tags?: readonly string[] | undefined
  /** How long the call waits, and a run of `produce` may take; default 10 000. */
  readonly timeoutMs?: number | null | undefined
  /** Wait for another owner's lock instead of giving up at once. */
  readonly retry?: Retry | undefined
}

/** Makes the value; the signal is aborted when its time is over. */
export type Producer<T> = (signal: AbortSignal) => T | Promise<T>

/** One value of `saveMany`: key, value, and what `save` takes as its third argument. */
export type SaveItem = readonly [key: string, value: unknown, expireMs?: number | null | SaveOptions]

/** How `get` and `checkLock` look. */
export interface WaitOptions {
  /** Wait for another owner's lock instead of giving up at once. */
  readonly retry?: Retry | undefined
}

/** How `load` looks. */
export interface LoadOptions extends WaitOptions {
  /** Have the value live this many ms from now on; its bytes stay as they are. */
  readonly expireMs?: number | null | undefined
}

/** What `load` answers. */
export interface LoadedEntry<T = unknown> {
  readonly key: string
  readonly value: T
  /** When it was saved, in ms since 1970 by the clock of the process that saved it. */
  readonly createdAt: number
}

/** A lock that somebody holds. */
export interface HeldLock {
  /** The key that is locked. */
  readonly key: string
  readonly owner: string
  /** Ends by itself after this many ms; undefined for a lock that somebody else wrote without an end. */
  readonly expiresInMs: number | undefined
}

/**
 * A value that nobody can change: what `get` and `load` answer with the option `local`, as in
 * `cache.get<Frozen<User>>('user:1')`.
 */
export type Frozen<T> = T extends object ? { readonly [Member in keyof T]: Frozen<T[Member]> } : T
