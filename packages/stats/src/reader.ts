// Reads what all processes have written so far.
import type { RedisConnection } from 'fastify-ah-kit/redis'
import { sumIn } from './amount.ts'
import { AH_STATS_COLLECTION, AH_STATS_NOT_A_NUMBER } from './errors.ts'
import { collectionPattern, type StatsKeys } from './keys.ts'
import { shown } from './shown.ts'

/** The sums of one collection by key; without a prototype, since a key may be called `__proto__`. */
export type Sums = Record<string, number>

const isCollection = new RegExp(collectionPattern)
// Fields that Redis goes through in one call, other callers waiting meanwhile.
const pageSize = 500

/** Also reads collections that this process does not write, of another host say. */
export class Reader {
  readonly #connection: RedisConnection
  readonly #keys: StatsKeys

  constructor(connection: RedisConnection, keys: StatsKeys) {
    this.#connection = connection
    this.#keys = keys
  }

  async sum(collection: string, key: string): Promise<number> {
    const text = await this.#connection.read<string | null>('HGET', [this.#countsOf(collection), key])
    if (text === null) return 0
    const sum = sumIn(text)
    if (sum !== undefined) return sum
    throw new AH_STATS_NOT_A_NUMBER(
      `the key ${shown(key)} of the collection ${collection} holds ${shown(text)}, no count`,
    )
  }

  /** All that are counts; other programs' fields are left out. No snapshot: what is written meanwhile may be in it. */
  async sums(collection: string): Promise<Sums> {
    const counts = this.#countsOf(collection)
    const sums: Sums = Object.create(null)
    let cursor = '0'
    do {
      const [next, page] = await this.#connection.read<[string, string[]]>('HSCAN', [counts, cursor, 'COUNT', pageSize])
      cursor = next
      for (let index = 0; index < page.length; index += 2) {
        const sum = sumIn(page[index + 1] as string)
        if (sum !== undefined) sums[page[index] as string] = sum
      }
    } while (cursor !== '0')
    return sums
  }

  #countsOf(collection: unknown): string {
    if (typeof collection === 'string' && isCollection.test(collection)) return this.#keys.counts(collection)
    throw new AH_STATS_COLLECTION(`expected a collection, "stats" or "stats:<name>", got ${shown(collection)}`)
  }
}
