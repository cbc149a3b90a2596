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
}

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
