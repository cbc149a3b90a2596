// The plugin's options: schema, defaults, and the type that `app.register` takes.
import { type CheckedOptions, decoratorOptionSchema, defineOptions } from 'fastify-ah-kit'
import { embeddedOptionSchema, prefixOptionSchema, type RedisOption, redisOptionSchema } from 'fastify-ah-kit/redis'
import { AH_PUBSUB_OPTIONS } from './errors.ts'

/** What `app.register(fastifyAhPubsub, …)` takes; see the README's table. */
export interface PubSubOptions {
  /** Which Redis; without it `app.redis`, then `REDIS_URL`, then the embedded store. */
  readonly redis?: RedisOption
  /** Allows the embedded store with `NODE_ENV=production` too; default false. */
  readonly embedded?: boolean
  /** What all keys and Redis channels begin with; default `actionhero:`. */
  readonly prefix?: string
  /** Name of the decorator; default `pubsub`. */
  readonly decorator?: string
  /**
   * The secret that the app's servers share; two while it is replaced: messages are signed with the first, and taken
   * with either. Without it `SERVER_TOKEN`; without both, outside of production, one that everybody knows.
   */
  readonly serverToken?: string | readonly string[]
  /** Sharded pub/sub of Redis 7 (SPUBLISH); no wildcards then. Default false. */
  readonly sharded?: boolean
  /** How long a node that shows no sign of life is held to be alive, in ms; default 9000. */
  readonly leaseMs?: number
  /** Between two looks at whether a connection still hears, in ms; default 1000. */
  readonly probeMs?: number
  /** How long a call waits for its answer, in ms; default 5000. */
  readonly callTimeoutMs?: number
  /** Most bytes of a message as JSON; default 1 MiB. */
  readonly maxMessageBytes?: number
}

/** The options with their defaults. */
export interface ParsedPubSubOptions extends Required<Omit<PubSubOptions, 'redis' | 'serverToken'>> {
  readonly redis?: RedisOption
  readonly serverToken?: string | readonly string[]
}

const durationLimits = { type: 'integer', minimum: 1, maximum: 600_000 } as const

/** The options' schema and check. */
export const options: CheckedOptions<ParsedPubSubOptions> = defineOptions<ParsedPubSubOptions>({
  package: 'fastify-ah-pubsub',
  error: AH_PUBSUB_OPTIONS,
  properties: {
    redis: redisOptionSchema,
    embedded: embeddedOptionSchema,
    prefix: prefixOptionSchema,
    decorator: decoratorOptionSchema('pubsub'),
    serverToken: {
      description:
        'secret that the servers share, or two while it is replaced: signed with the first, taken with either. Without it `SERVER_TOKEN`',
      secret: true,
      check: {
        expected: 'a text, or a list of one or two texts',
        accepts: isToken,
      },
    },
    sharded: {
      description: 'sharded pub/sub of Redis 7 (`SPUBLISH`); wildcards are refused then',
      type: 'boolean',
      default: false,
    },
    leaseMs: {
      description: 'how long a node that shows no sign of life is held to be alive, in ms',
      ...durationLimits,
      minimum: 300,
      default: 9_000,
    },
    probeMs: {
      description: 'between two looks at whether a connection still hears, in ms',
      ...durationLimits,
      minimum: 20,
      default: 1_000,
    },
    callTimeoutMs: {
      description: 'how long a call waits for its answer, in ms',
      ...durationLimits,
      default: 5_000,
    },
    maxMessageBytes: {
      description: 'most bytes of a message as JSON; all nodes need the same',
      type: 'integer',
      minimum: 1_024,
      maximum: 64 * 1_048_576,
      default: 1_048_576,
    },
  },
  renamed: {
    channel: 'prefix',
    rpcTimeout: 'callTimeoutMs',
    token: 'serverToken',
    client: 'redis',
  },
})

function isToken(value: unknown): boolean {
  const texts: unknown[] = Array.isArray(value) ? value : [value]
  return texts.length >= 1 && texts.length <= 2 && texts.every((text) => typeof text === 'string' && text !== '')
}
