// One collection as this process adds to it: what waits, and the batch that is on its way.
import type { RedisConnection } from 'fastify-ah-kit/redis'
import type { StatsKeys } from './keys.ts'
import { type Count, Pending } from './pending.ts'
import { addCounts } from './scripts/add-counts.ts'

/** What a collection is made of. */
export interface CollectionOptions {
  readonly name: string
  readonly connection: RedisConnection
  readonly keys: StatsKeys
  /** This registration in this start of this process. */
  readonly writerId: string
  readonly maxKeys: number
  /** Hears of keys whose counts Redis could not add, since something else is stored there. */
  readonly onRefused: (collection: string, keys: readonly string[]) => void
}

interface Batch {
  readonly number: number
  readonly counts: readonly Count[]
}

// Each key is two commands inside the script, and nothing else runs in Redis meanwhile.
const batchKeys = 500

/**
 * A batch keeps its number until it is answered, however often and late that is tried: the script applies each number once
 * (see `defineGuardedScript`), so a batch in doubt is neither lost nor added twice. What is counted meanwhile waits for
 * the next one.
 */
export class Collection {
  readonly name: string
  readonly #options: CollectionOptions
  readonly #redisKeys: readonly [record: string, counts: string]
  readonly #pending: Pending
  #lastNumber = 0
  #batch: Batch | undefined

  constructor(options: CollectionOptions) {
    const { name, keys, writerId, maxKeys } = options
    this.name = name
    this.#options = options
    this.#redisKeys = [keys.lastBatch(name, writerId), keys.counts(name)]
    this.#pending = new Pending(maxKeys)
  }

  /** Keys that are not known to be in Redis. */
  get waiting(): number {
    return this.#pending.size + (this.#batch?.counts.length ?? 0)
  }

  /** Whether there was room. */
  add(key: string, amount: number): boolean {
    return this.#pending.add(key, amount)
  }

  /** Writes what waits now; what is added meanwhile is for the next write. One at a time. */
  async write(): Promise<void> {
    const waiting = this.#pending.size
    await this.#send()
    for (let written = 0; written < waiting; written += batchKeys) {
      this.#lastNumber += 1
      this.#batch = { number: this.#lastNumber, counts: this.#pending.take(batchKeys) }
      await this.#send()
    }
  }

  async #send(): Promise<void> {
    if (this.#batch === undefined) return
    const { connection, onRefused } = this.#options
    const { number, counts } = this.#batch
    const refused = await connection.run<string[]>(addCounts, this.#redisKeys, [number, ...counts.flat()])
    this.#batch = undefined
    if (refused.length > 0) onRefused(this.name, refused)
  }
}
