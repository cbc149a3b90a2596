// Owns the sum over all keys, for tests that count under many.
import type { Stats } from 'fastify-ah-stats'

/** What Redis holds of a collection, all keys together. */
export async function total(stats: Stats, collection = 'stats'): Promise<number> {
  const sums = Object.values((await stats.getAll([collection]))[collection]!)
  return sums.reduce((sum, one) => sum + one, 0)
}
