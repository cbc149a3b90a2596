// The plugin's options: schema, defaults, and the type that `app.register` takes.
import { type CheckedOptions, defineOptions } from 'fastify-ah-kit'
import { embeddedOptionSchema, prefixOptionSchema, type RedisOption, redisOptionSchema } from 'fastify-ah-kit/redis'
import { AH_FAYE_OPTIONS } from './errors.ts'
import type { FayeAuthorize } from './types.ts'

/** What `app.register(fastifyAhFaye, …)` takes; see the README's table. */
export interface FayeOptions {
  /** Which Redis; without it `app.redis`, then `REDIS_URL`, then the embedded store. */
  readonly redis?: RedisOption
  /** Allows the embedded store with `NODE_ENV=production` too; default false. */
  readonly embedded?: boolean
  /** What all keys begin with; default `actionhero:`. */
  readonly prefix?: string
  /** Decorator of the `fastify-ah-pubsub` whose channels these are; default `pubsub`. */
  readonly pubsub?: string
  /** Where clients connect; default `/faye`. */
  readonly path?: string
  /** Who may do what; without it everybody everything. */
  readonly authorize?: FayeAuthorize
  /** Origins that pages of other hosts may have, as in `https://shop.example`; default none. */
  readonly origins?: readonly string[]
  /** Lets clients that send the server token use `/actionhero/app/**`; default false. */
  readonly allowServerToken?: boolean
  /** The token, or two while it is replaced; default `SERVER_TOKEN`. */
  readonly serverToken?: string | readonly string[]
  /** How long a poll is held, and a websocket's connect, in ms; default 45 000. */
  readonly timeoutMs?: number
  /** How long a client may be without a connection, in ms; default 60 000. */
  readonly awayMs?: number
  /** Most bytes of a POST or a frame; default 65 536. */
  readonly maxMessageBytes?: number
  /** Most channels of a client; default 100. */
  readonly maxSubscriptions?: number
  /** Most messages that wait for a client; default 1000. */
  readonly maxQueued?: number
  /** Most bytes that a websocket's reader may be behind; default 1 MiB. */
  readonly maxUnsentBytes?: number
  /** Most clients that one process keeps; default 10 000. */
  readonly maxClients?: number
}

/** The options with their defaults. */
export interface ParsedFayeOptions extends Required<Omit<FayeOptions, 'redis' | 'authorize' | 'serverToken'>> {
  readonly redis?: RedisOption
  readonly authorize?: FayeAuthorize
  readonly serverToken?: string | readonly string[]
}

const count = { type: 'integer', minimum: 1, maximum: 1_000_000 } as const

/** The options' schema and check. */
export const options: CheckedOptions<ParsedFayeOptions> = defineOptions<ParsedFayeOptions>({
  package: 'fastify-ah-faye',
  error: AH_FAYE_OPTIONS,
  properties: {
    redis: redisOptionSchema,
    embedded: embeddedOptionSchema,
    prefix: prefixOptionSchema,
    pubsub: {
      description: 'decorator of the `fastify-ah-pubsub` whose channels these are',
      type: 'string',
      minLength: 1,
      default: 'pubsub',
    },
    path: {
      description: 'where clients connect',
      type: 'string',
      pattern: '^(/[A-Za-z0-9_-]+)+$',
      default: '/faye',
    },
    authorize: {
      description: 'who may do what: `{ handshake?, subscribe?, publish? }`; without it everybody everything',
      check: { expected: 'an object of functions: handshake, subscribe, publish', accepts: isAuthorize },
    },
    origins: {
      description: 'origins of pages of other hosts that may connect, as in `https://shop.example`',
      type: 'array',
      items: { type: 'string', pattern: '^https?://[^/\\s]+$' },
      default: [],
    },
    allowServerToken: {
      description: 'lets clients that send the server token use `/actionhero/app/**`',
      type: 'boolean',
      default: false,
    },
    serverToken: {
      description: 'that token, or two while it is replaced; without it `SERVER_TOKEN`',
      secret: true,
      check: { expected: 'a text, or a list of one or two texts', accepts: isToken },
    },
    timeoutMs: {
      description: "how long a poll without messages is held, and a websocket's connect, in ms",
      ...count,
      // Clients wait 1.2 times as long for any reply, and Redis may take 5 s to have none.
      minimum: 6_000,
      default: 45_000,
    },
    awayMs: {
      description: 'how long a client may be without a connection until it is forgotten, in ms',
      ...count,
      minimum: 100,
      default: 60_000,
    },
    maxMessageBytes: {
      description: 'most bytes of a POST, or of a frame of a websocket',
      ...count,
      maximum: 67_108_864,
      default: 65_536,
    },
    maxSubscriptions: { description: 'most channels of a client', ...count, default: 100 },
    maxQueued: {
      description: 'most messages that wait for a client; with one more it is forgotten, and begins anew',
      ...count,
      default: 1_000,
    },
    maxUnsentBytes: {
      description: "most bytes that a websocket's reader may be behind; beyond that it is cut",
      ...count,
      maximum: 1_073_741_824,
      default: 1_048_576,
    },
    maxClients: {
      description: 'most clients that one process keeps; further handshakes fail',
      ...count,
      default: 10_000,
    },
  },
  renamed: {
    mount: 'path',
    timeout: 'timeoutMs',
    client: 'redis',
    queuePrefix: 'is gone: keys lie below "prefix" + "faye:"',
  },
})

function isAuthorize(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const known = ['handshake', 'subscribe', 'publish']
  return Object.entries(value).every(([name, hook]) => known.includes(name) && typeof hook === 'function')
}

function isToken(value: unknown): boolean {
  const texts: unknown[] = Array.isArray(value) ? value : [value]
  return texts.length >= 1 && texts.length <= 2 && texts.every((text) => typeof text === 'string' && text !== '')
}
