// The Redis keys of collections.

/** What a collection may be called: all of them lie below ActionHero's `stats`, away from the keys of other plugins. */
export const collectionPattern = '^stats(:[\\w.:-]{1,200})?$'

/** Names the keys of one prefix. On Redis Cluster they are the same: a collection is one hash. */
export class StatsKeys {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** The hash of a collection: key → sum. */
  counts(collection: string): string {
    return `${this.#prefix}${collection}`
  }

  /** Which batch of one process was added last; the braces put it into the slot of the hash. */
  lastBatch(collection: string, writerId: string): string {
    return `${this.#prefix}stats-batch:{${this.counts(collection)}}:${writerId}`
  }
}
