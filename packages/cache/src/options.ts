// The plugin's options: schema, defaults, and the type that `app.register` takes.
import { type CheckedOptions, defineOptions } from 'fastify-ah-kit'
import { prefixOptionSchema, type RedisOption, redisOptionSchema } from 'fastify-ah-kit/redis'
import { AH_CACHE_OPTIONS } from './errors.ts'

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
}

const durationLimits = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const

/** The options' schema and check. */
export const options: CheckedOptions<ParsedCacheOptions> = defineOptions<ParsedCacheOptions>({
  package: 'fastify-ah-cache',
  error: AH_CACHE_OPTIONS,
  properties: {
    redis: redisOptionSchema,
    embedded: {
      description: 'allows the store in memory with `NODE_ENV=production` too, if no Redis is given',
      type: 'boolean',
      default: false,
    },
    prefix: prefixOptionSchema,
    decorator: {
      description: 'name of the decorator; a second registration in one app needs another one',
      type: 'string',
      pattern: '^[A-Za-z_$][\\w$]*$',
      default: 'cache',
    },
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
