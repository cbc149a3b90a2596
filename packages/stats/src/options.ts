// The plugin's options: schema, defaults, and the type that `app.register` takes.
import { type CheckedOptions, decoratorOptionSchema, defineOptions } from 'fastify-ah-kit'
import { embeddedOptionSchema, prefixOptionSchema, type RedisOption, redisOptionSchema } from 'fastify-ah-kit/redis'
import { AH_STATS_OPTIONS } from './errors.ts'
import { collectionPattern } from './keys.ts'

/** What `app.register(fastifyAhStats, …)` takes; see the README's table. */
export interface StatsOptions {
  /** Which Redis; without it `app.redis`, then `REDIS_URL`, then the embedded store. */
  readonly redis?: RedisOption
  /** Allows the embedded store with `NODE_ENV=production` too; default false. */
  readonly embedded?: boolean
  /** What all keys begin with; default `actionhero:`. */
  readonly prefix?: string
  /** Name of the decorator; default `stats`. */
  readonly decorator?: string
  /** Where each count is added: hashes in Redis, `stats` or `stats:<name>`; default `['stats']`. */
  readonly collections?: readonly string[]
  /** Pause between two writes to Redis, in ms; default 1000. */
  readonly writeMs?: number
  /** Most different keys that wait in memory, for each collection; default 10 000. */
  readonly maxKeys?: number
}

/** The options with their defaults. */
export interface ParsedStatsOptions {
  readonly redis?: RedisOption
  readonly embedded: boolean
  readonly prefix: string
  readonly decorator: string
  readonly collections: readonly string[]
  readonly writeMs: number
  readonly maxKeys: number
}

/** The options' schema and check. */
export const options: CheckedOptions<ParsedStatsOptions> = defineOptions<ParsedStatsOptions>({
  package: 'fastify-ah-stats',
  error: AH_STATS_OPTIONS,
  properties: {
    redis: redisOptionSchema,
    embedded: embeddedOptionSchema,
    prefix: prefixOptionSchema,
    decorator: decoratorOptionSchema('stats'),
    collections: {
      description: 'where each count is added: hashes in Redis, each called `stats` or `stats:<name>`',
      type: 'array',
      items: { type: 'string', pattern: collectionPattern },
      minItems: 1,
      maxItems: 16,
      uniqueItems: true,
      default: ['stats'],
    },
    writeMs: {
      description: 'pause between two writes to Redis, in ms',
      type: 'integer',
      minimum: 1,
      maximum: 3_600_000,
      default: 1_000,
    },
    maxKeys: {
      description: 'most different keys that wait in memory for Redis, for each collection',
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 10_000,
    },
  },
  renamed: {
    writeFrequency: 'writeMs',
    keys: 'is now called "collections", and what they are called begins behind "prefix": "stats", "stats:web-1"',
    client: 'redis',
  },
})
