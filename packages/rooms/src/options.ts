// The plugin's options: schema, defaults, and the type that `app.register` takes.
import { type CheckedOptions, decoratorOptionSchema, defineOptions } from 'fastify-ah-kit'
import { embeddedOptionSchema, prefixOptionSchema, type RedisOption, redisOptionSchema } from 'fastify-ah-kit/redis'
import { AH_ROOMS_OPTIONS } from './errors.ts'
import type { Authorize, MemberDetails, RoomConnection } from './types.ts'

/** What `app.register(fastifyAhRooms, …)` takes; see the README's table. */
export interface RoomsOptions {
  /** Which Redis: that of pub/sub. Without it `app.redis`, then `REDIS_URL`, then the embedded store. */
  readonly redis?: RedisOption
  /** Allows the embedded store with `NODE_ENV=production` too; default false. */
  readonly embedded?: boolean
  /** What all keys begin with; default `actionhero:`. */
  readonly prefix?: string
  /** Name of the decorator; default `rooms`. */
  readonly decorator?: string
  /** Decorator of the `fastify-ah-pubsub` on the same Redis; default `pubsub`. */
  readonly pubsub?: string
  /** Where websockets connect; default `/ah/ws`. */
  readonly path?: string
  /** Where ActionHero's own client connects, in Primus' framing; '' for nowhere. Default `/primus`. */
  readonly primusPath?: string
  /** The parameter of the query in which that client sends its cookie: its fingerprint. Default `sessionID`. */
  readonly cookieKey?: string
  /** Who may do what. */
  readonly authorize?: Authorize
  /** Origins of pages that may connect; required in production. Without it pages of the same host. */
  readonly origins?: readonly string[]
  /** Lets programs connect, which send no origin; in production with `authorize.connect` only. Default false. */
  readonly allowMissingOrigin?: boolean
  /** Folders of which clients may ask for files, by the verb `file`; relative to the working directory. Default none. */
  readonly files?: readonly string[]
  /** Rooms that are there from the start. */
  readonly startingRooms?: readonly string[]
  /** What is kept of a member beside `id` and `joinedAt`. */
  readonly generateMemberDetails?: (connection: RoomConnection) => MemberDetails | Promise<MemberDetails>
  /** What of that `roomStatus` shows; default: id and joinedAt. */
  readonly sanitizeMemberDetails?: (details: MemberDetails) => MemberDetails | Promise<MemberDetails>
  /** The first thing that a client hears; '' for nothing. */
  readonly welcomeMessage?: string
  /** Adds `serverInformation` and `requesterInformation` to replies of actions, as ActionHero; default false. */
  readonly metadata?: boolean
  /** Members of messages and params, at any depth, that no log shows; also in URLs of actions. Default none. */
  readonly filteredParams?: readonly string[]
  /** How many messages of a room are kept; default 1000. */
  readonly historySize?: number
  /** For how long, in ms; default 5 min. */
  readonly historyMs?: number
  /** How long a node that shows no sign of life is held to be alive, in ms; default 9000. */
  readonly leaseMs?: number
  /** Most bytes of a message of a client; default 65 536. */
  readonly maxMessageBytes?: number
  /** How many messages a second a client may send; default 20. */
  readonly messagesPerSecond?: number
  /** How many at once; default 40. */
  readonly messageBurst?: number
  /** Most rooms of a connection; default 100. */
  readonly maxRooms?: number
  /** Most bytes that a reader may be behind; default 1 MiB. */
  readonly maxUnsentBytes?: number
  /** Most actions of a connection that are under way at once; default 5. */
  readonly maxPendingActions?: number
  /** Between two pings, in ms; default 25 000. */
  readonly pingMs?: number
  /** How long a client may take to answer one, in ms; default 10 000. */
  readonly pongMs?: number
  /** Over how long websockets are closed when the app ends, at most, in ms; default 3000. */
  readonly drainMs?: number
}

type Defaulted = Omit<
  RoomsOptions,
  'redis' | 'authorize' | 'origins' | 'generateMemberDetails' | 'sanitizeMemberDetails'
>

/** The options with their defaults. */
export interface ParsedRoomsOptions extends Required<Defaulted> {
  readonly redis?: RedisOption
  readonly authorize?: Authorize
  readonly origins?: readonly string[]
  readonly generateMemberDetails?: (connection: RoomConnection) => MemberDetails | Promise<MemberDetails>
  readonly sanitizeMemberDetails?: (details: MemberDetails) => MemberDetails | Promise<MemberDetails>
}

const count = { type: 'integer', minimum: 1, maximum: 1_000_000 } as const
const duration = { type: 'integer', minimum: 20, maximum: 3_600_000 } as const
const aFunction = { expected: 'a function', accepts: (value: unknown) => typeof value === 'function' }

/** The options' schema and check. */
export const options: CheckedOptions<ParsedRoomsOptions> = defineOptions<ParsedRoomsOptions>({
  package: 'fastify-ah-rooms',
  error: AH_ROOMS_OPTIONS,
  properties: {
    redis: redisOptionSchema,
    embedded: embeddedOptionSchema,
    prefix: prefixOptionSchema,
    decorator: {
      ...decoratorOptionSchema('rooms'),
      description:
        'name of the decorator; a second registration in one app needs another one, and another `path`, `primusPath` and prefix',
    },
    pubsub: {
      description: 'decorator of the `fastify-ah-pubsub` on the same Redis',
      type: 'string',
      minLength: 1,
      default: 'pubsub',
    },
    path: {
      description: 'where websockets connect',
      type: 'string',
      pattern: '^(/[A-Za-z0-9_-]+)+$',
      expected: 'a path such as "/ah/ws", of letters, digits, - and _',
      default: '/ah/ws',
    },
    primusPath: {
      description: "where ActionHero's own client connects, in Primus' framing; `''` for nowhere",
      type: 'string',
      pattern: '^((/[A-Za-z0-9_-]+)+)?$',
      default: '/primus',
    },
    cookieKey: {
      description: "parameter of the query in which that client sends its cookie: the connection's fingerprint",
      type: 'string',
      minLength: 1,
      default: 'sessionID',
    },
    authorize: {
      description: 'who may do what: `{ connect?, join?, say? }`; without it everybody everything',
      type: 'object',
      additionalProperties: false,
      properties: {
        connect: { description: 'who that is, or false: `(request) => …`', check: aFunction },
        join: { description: 'whether it may join: `(connection, room) => …`', check: aFunction },
        say: { description: 'whether it may say that: `(connection, room, message) => …`', check: aFunction },
      },
    },
    origins: {
      description: 'origins of pages that may connect, as in `https://shop.example`; required in production',
      type: 'array',
      items: { check: { expected: 'a whole origin such as "https://shop.example"', accepts: isOrigin } },
    },
    allowMissingOrigin: {
      description: 'lets programs connect, which send no origin; in production with `authorize.connect` only',
      type: 'boolean',
      default: false,
    },
    files: {
      description: 'folders of which clients may ask for files; relative to the working directory',
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
    },
    startingRooms: {
      description: 'rooms that are there from the start',
      type: 'array',
      items: {
        type: 'string',
        pattern: '^[^\\u0000-\\u001f\\u007f]{1,256}$',
        expected: 'a text of 1 to 256 characters without control characters',
      },
      default: [],
    },
    generateMemberDetails: {
      description: 'what is kept of a member beside `id` and `joinedAt`: `(connection) => ({ … })`',
      check: aFunction,
    },
    sanitizeMemberDetails: {
      description: 'what of that `roomStatus` shows: `(details) => ({ … })`; without it `id` and `joinedAt`',
      check: aFunction,
    },
    welcomeMessage: {
      description: "the first thing that a client hears; `''` for nothing",
      type: 'string',
      maxLength: 1_000,
      default: 'Welcome!',
    },
    metadata: {
      description: "adds ActionHero's `serverInformation` and `requesterInformation` to replies of actions",
      type: 'boolean',
      default: false,
    },
    filteredParams: {
      description: 'members of messages and params, at any depth, that no log shows; also in URLs of actions',
      type: 'array',
      items: { type: 'string' },
      default: [],
    },
    historySize: { description: 'how many messages of a room are kept', ...count, maximum: 100_000, default: 1_000 },
    historyMs: {
      description: 'for how long, in ms',
      ...duration,
      maximum: 86_400_000,
      default: 300_000,
    },
    leaseMs: {
      description: 'how long a node that shows no sign of life is held to be alive, in ms',
      ...duration,
      minimum: 300,
      default: 9_000,
    },
    maxMessageBytes: {
      description: 'most bytes of a message of a client',
      ...count,
      maximum: 16_777_216,
      default: 65_536,
    },
    messagesPerSecond: { description: 'how many messages a second a client may send', ...count, default: 20 },
    messageBurst: {
      description: 'how many at once; as many more are refused, then the connection is closed with 1008',
      ...count,
      default: 40,
    },
    maxRooms: { description: 'most rooms of a connection', ...count, default: 100 },
    maxUnsentBytes: {
      description: 'most bytes that a reader may be behind; beyond that it is cut',
      ...count,
      maximum: 1_073_741_824,
      default: 1_048_576,
    },
    maxPendingActions: {
      description: 'most actions of a connection that are under way at once',
      ...count,
      default: 5,
    },
    pingMs: { description: 'between two pings, in ms', ...duration, default: 25_000 },
    pongMs: { description: 'how long a client may take to answer one, in ms', ...duration, default: 10_000 },
    drainMs: {
      description: 'over how long websockets are closed when the app ends, at most, in ms',
      ...duration,
      default: 3_000,
    },
  },
  renamed: {
    mount: 'path',
    public: 'files',
    rooms: 'startingRooms',
    client: 'redis',
    messageRateLimit: 'messagesPerSecond',
    simultaneousActions: 'maxPendingActions',
  },
})

/** Not of pages alone: `capacitor://localhost` is one too. */
function isOrigin(origin: unknown): boolean {
  if (typeof origin !== 'string' || !/^[a-z][a-z0-9+.-]*:\/\/[^/\s?#@]+$/i.test(origin)) return false
  return URL.canParse(origin)
}
