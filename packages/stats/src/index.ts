// The package's exports, and what it adds to Fastify's types.
import type { Stats } from './stats.ts'

export {
  AH_STATS_AMOUNT,
  AH_STATS_COLLECTION,
  AH_STATS_KEY,
  AH_STATS_NOT_A_NUMBER,
  AH_STATS_OPTIONS,
} from './errors.ts'
export { options, type ParsedStatsOptions, type StatsOptions } from './options.ts'
export { default, fastifyAhStats, fastifyAhStats as 'module.exports', type StatsRegistry } from './plugin.ts'
export type { Sums } from './reader.ts'
export type { Stats } from './stats.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The shared counters of `fastify-ah-stats`. */
    stats: Stats
  }
}
