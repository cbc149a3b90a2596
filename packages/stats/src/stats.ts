// The facade: what `app.stats` can do.
import { checkAmount } from './amount.ts'
import { checkKey } from './count-key.ts'
import { Reader, type Sums } from './reader.ts'
import type { Writer, WriterOptions } from './writer.ts'

/** Counters that all processes share. */
export class Stats {
  readonly #writer: Writer
  readonly #reader: Reader
  readonly #collections: readonly string[]

  /** For the plugin: it starts and closes the writer. */
  constructor(writer: Writer, { connection, keys, collections }: WriterOptions) {
    this.#writer = writer
    this.#reader = new Reader(connection, keys)
    this.#collections = collections
  }

  /**
   * Adds `amount` (default 1; negative takes away, 0 makes the key exist) to `key` in all collections. At once in memory,
   * within `writeMs` in Redis; it never fails for Redis' sake. Throws `AH_STATS_KEY`, `AH_STATS_AMOUNT`.
   */
  increment(key: string, amount = 1): void {
    checkKey(key)
    checkAmount(amount)
    this.#writer.add(key, amount)
  }

  /**
   * What all processes have written so far under `key`, 0 if nothing; in the first collection unless told. Rejects with
   * `AH_STATS_KEY`, `AH_STATS_COLLECTION`, `AH_STATS_NOT_A_NUMBER`, and what the kit says of Redis.
   */
  async get(key: string, collection: string = this.#collections[0] as string): Promise<number> {
    checkKey(key)
    return this.#reader.sum(collection, key)
  }

  /**
   * All sums by collection and key, read in pages; of this app's collections unless told. Objects without a prototype.
   * Rejects with `AH_STATS_COLLECTION`, and what the kit says of Redis.
   */
  async getAll(collections: readonly string[] = this.#collections): Promise<Record<string, Sums>> {
    const read = collections.map(async (collection) => [collection, await this.#reader.sums(collection)] as const)
    return Object.fromEntries(await Promise.all(read))
  }

  /** Writes now; resolves when all that was counted here before is in Redis, rejects if it has to be tried again later. */
  write(): Promise<void> {
    return this.#writer.write()
  }

  /** Keys of which counts wait for Redis in this process, over all collections. */
  get waiting(): number {
    return this.#writer.waiting
  }

  /** Counts that this process had to give up: see `maxKeys`. */
  get lost(): number {
    return this.#writer.lost
  }
}
