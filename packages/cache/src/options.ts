// The plugin's options: schema, defaults, and the type that `app.register` takes.
import { type CheckedOptions, decoratorOptionSchema, defineOptions } from 'fastify-ah-kit'
import { embeddedOptionSchema, prefixOptionSchema, type RedisOption, redisOptionSchema } from 'fastify-ah-kit/redis'
import { AH_CACHE_OPTIONS } from './errors.ts'

/** The option `local`: values in this process's memory in front of Redis. */
export interface LocalOptions {
  /** Most values in memory; the least recently used are forgotten first. */
  readonly max: number
  /** Longest time that a value is served from memory, in ms; default: until it ends or changes. */
  readonly ttlMs?: number
}

/** What `app.register(fastifyAhCache, …)` takes; see the README's table. */
export interface CacheOptions {
  /** Which Redis; without it `app.redis`, then `REDIS_URL`, then the embedded store. */
  readonly redis?: RedisOption
  /** Allows the embedded store with `NODE_ENV=production` too; default false. */
  readonly embedded?: boolean
  /** What all keys begin with; default `actionhero:`. */
  readonly prefix?: string
  /** Name of the decorator; default `cache`. */
  readonly decorator?: string
  /** Who this process's locks belong to; default: this start of this process. */
  readonly owner?: string
  /** How long `lock` locks and `retry: true` waits, in ms; default 10 000. */
  readonly lockMs?: number
  /** Mean pause between two looks at a lock that is waited for, in ms; default 100. */
  readonly lockRetryMs?: number
  /** Keeps values in this process's memory, coherent with Redis, and makes all values unchangeable; default: off. */
  readonly local?: LocalOptions
  /** After how many ms another process produces a value whose producer died in `getOrSet`; default 3000. */
  readonly produceLeaseMs?: number
}

/** The options with their defaults. */
export interface ParsedCacheOptions {
  readonly redis?: RedisOption
  readonly embedded: boolean
  readonly prefix: string
  readonly decorator: string
  readonly owner?: string
  readonly lockMs: number
  readonly lockRetryMs: number
  readonly local?: LocalOptions
  readonly produceLeaseMs: number
}

const durationLimits = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const

/** The options' schema and check. */
export const options: CheckedOptions<ParsedCacheOptions> = defineOptions<ParsedCacheOptions>({
  package: 'fastify-ah-cache',
  error: AH_CACHE_OPTIONS,
  properties: {
    redis: redisOptionSchema,
    embedded: embeddedOptionSchema,
    prefix: prefixOptionSchema,
    decorator: decoratorOptionSchema('cache'),
    owner: {
      description: "id that this process's locks belong to; without it the process's title and boot id",
      type: 'string',
      minLength: 1,
    },
    lockMs: {
      description: 'how long `lock` locks, and how long `retry: true` waits, in ms',
      ...durationLimits,
      default: 10_000,
    },
    lockRetryMs: {
      description:
        'mean pause between two looks at a lock that is waited for, in ms; each pause is 0.5 to 1.5 times that',
      ...durationLimits,
      maximum: 60_000,
      default: 100,
    },
    local: {
      description:
        "keeps values in this process's memory, coherent with Redis; all values become unchangeable. Without it, off",
      type: 'object',
      properties: {
        max: {
          description: 'most values in memory; the least recently used are forgotten first',
          type: 'integer',
          minimum: 1,
          maximum: 10_000_000,
        },
        ttlMs: {
          description: 'longest time that a value is served from memory, in ms; without it until it ends or changes',
          ...durationLimits,
        },
      },
      required: ['max'],
      additionalProperties: false,
    },
    produceLeaseMs: {
      description: 'after how many ms another process produces a value whose producer died in `getOrSet`',
      ...durationLimits,
      minimum: 100,
      maximum: 600_000,
      default: 3_000,
    },
  },
  renamed: {
    lockDuration: 'lockMs',
    lockRetry: 'lockRetryMs',
    lockName: 'owner',
    redisPrefix: 'is gone: values lie below "prefix" + "cache:"',
    cachePrefix: 'is gone: values lie below "prefix" + "cache:"',
    lockPrefix: 'is gone: locks lie below "prefix" + "lock:"',
    scanCount: 'is gone: keys are looked through in batches of 500',
    client: 'redis',
  },
})
