// Which Redis a plugin means: every form of the `redis` option, resolved to something that opens clients.
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { type Cluster, type ClusterNode, type ClusterOptions, Redis, type RedisOptions } from 'ioredis'
import { toError } from '../errors.ts'
import type { OptionSchema } from '../options-definition.ts'
import { AH_KIT_REDIS_OPTION } from './errors.ts'
import { clusterLabel, serverLabel } from './label.ts'
import { type ConnectionRole, duplicateClient, openCluster, openServer } from './open-client.ts'
import { optionsOfUrl } from './redis-url.ts'

/** A client of ioredis, for one server (alone or behind Sentinel) or for Redis Cluster. */
export type RedisClient = Redis | Cluster

/** A client of one server: a node of a Cluster, or what Sentinel holds to be the master. */
export type ServerClient = Redis

/**
 * The `redis` option of every plugin: an ioredis client or cluster, a URL or socket path, ioredis options (Sentinel's
 * `sentinels` and `name` among them), the nodes of a Redis Cluster, or the namespace of an `@fastify/redis` client.
 */
export type RedisOption =
  | RedisClient
  | string
  | RedisOptions
  | { readonly cluster: readonly ClusterNode[]; readonly options?: ClusterOptions }
  | { readonly namespace: string }

/** A Redis that clients can be opened to. */
export interface Target {
  /** For logs: no password in it. */
  readonly label: string
  /** False for a client that was handed in: it is used, and never closed. */
  readonly isOwned: boolean
  /** What makes two targets the same one: the client itself, or how it is made. */
  readonly identity: unknown
  readonly open: (role: ConnectionRole) => RedisClient
}

const expected = 'an ioredis client, a redis:// URL, a socket path, ioredis options, { cluster } or { namespace }'

/** The `redis` property for a plugin's options. */
export const redisOptionSchema: OptionSchema = {
  description:
    'ioredis client or cluster, URL, ioredis options, `{ sentinels, name }`, `{ cluster: [...] }`, or `{ namespace }` of @fastify/redis; without it `app.redis`, then `REDIS_URL`, then the embedded store',
  check: { expected, accepts: isRedisOption },
}

/** The `embedded` property for a plugin's options. */
export const embeddedOptionSchema: OptionSchema = {
  description: 'allows the store in memory with `NODE_ENV=production` too, if no Redis is given',
  type: 'boolean',
  default: false,
}

/** Whether the value is an ioredis client; not by `instanceof`, since the app may have an ioredis of its own. */
export function isClient(value: unknown): value is RedisClient {
  if (typeof value !== 'object' || value === null) return false
  // Other libraries' clients have most of the methods; these two members tell ioredis.
  const { status, isCluster, call, duplicate, on } = value as Record<string, unknown>
  const isLikeIoredis = typeof status === 'string' && typeof isCluster === 'boolean'
  return isLikeIoredis && [call, duplicate, on].every((method) => typeof method === 'function')
}

/** Whether two targets are one Redis to connect to. */
export function isSameTarget(a: Target, b: Target): boolean {
  if (!a.isOwned || !b.isOwned) return a.identity === b.identity
  return isDeepStrictEqual(a.identity, b.identity)
}

/** Resolves the option; throws `AH_KIT_REDIS_OPTION` for what is none. `source` is what messages call it. */
export function resolveTarget(app: FastifyInstance, option: RedisOption, source = 'option "redis"'): Target {
  if (!isRedisOption(option)) throw new AH_KIT_REDIS_OPTION(`${source}: expected ${expected}`)
  if (typeof option === 'string') return serverTarget(optionsOfUrl(option, source), source)
  if (isClient(option)) return clientTarget(option)
  if ('namespace' in option) {
    refuseOthers(option, ['namespace'])
    return clientTarget(namespaced(app, option.namespace))
  }
  if ('cluster' in option) {
    refuseOthers(option, ['cluster', 'options'])
    return clusterTarget(option.cluster, option.options ?? {})
  }
  return serverTarget(option, source)
}

/** A client that somebody else opened. */
export function clientTarget(client: RedisClient): Target {
  const options = client.options as RedisOptions & ClusterOptions
  refuseUnsupported(options)
  refuseUnsupported(options.redisOptions)
  return {
    label: client.isCluster ? 'the given Redis Cluster client' : serverLabel(options),
    isOwned: false,
    identity: client,
    open: (role) => (role === 'request' ? client : duplicateClient(role, client)),
  }
}

/** The server that a client is connected to: one master of a Cluster, or what Sentinel holds to be the master. */
export function masterTarget(master: Redis): Target {
  return {
    label: serverLabel(master.options),
    isOwned: true,
    identity: master,
    open: (role) => duplicateClient(role, master),
  }
}

function serverTarget(options: RedisOptions, source: string): Target {
  for (const name of ['url', 'client'] as const) {
    if (name in options) throw new AH_KIT_REDIS_OPTION(`${source}: pass the ${name} itself, not an object with it`)
  }
  refuseUnsupported(options)
  return {
    label: serverLabel(options),
    isOwned: true,
    identity: withDefaults(options, source),
    open: (role) => openServer(role, options),
  }
}

function clusterTarget(nodes: readonly ClusterNode[], options: ClusterOptions): Target {
  if (!Array.isArray(nodes) || nodes.length === 0) {
    throw new AH_KIT_REDIS_OPTION('option "redis.cluster": expected a list of nodes such as [{ host, port }]')
  }
  refuseUnsupported(options)
  refuseUnsupported(options.redisOptions)
  return {
    label: clusterLabel(nodes),
    isOwned: true,
    identity: { cluster: nodes, options },
    open: (role) => openCluster(role, nodes, options),
  }
}

function namespaced(app: FastifyInstance, namespace: string): RedisClient {
  const { redis } = app as unknown as { redis?: object }
  const client: unknown = redis !== undefined && Object.hasOwn(redis, namespace) ? Reflect.get(redis, namespace) : null
  if (isClient(client)) return client
  throw new AH_KIT_REDIS_OPTION(
    `option "redis.namespace": there is no @fastify/redis client named ${JSON.stringify(namespace)}; register @fastify/redis with it first`,
  )
}

/** As ioredis completes them, so that a URL and the options that mean the same are equal. Connects to nothing. */
function withDefaults(options: RedisOptions, source: string): unknown {
  try {
    return new Redis({ ...options, lazyConnect: true } as typeof options & { replyMapping?: 'legacy' }).options
  } catch (thrown) {
    const cause = toError(thrown)
    throw new AH_KIT_REDIS_OPTION(`${source}: ${cause.message}`, { cause })
  }
}

function isRedisOption(value: unknown): value is RedisOption {
  if (typeof value === 'string') return value !== ''
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return isClient(value) || prototype === Object.prototype || prototype === null
}

function refuseOthers(option: object, [form, ...others]: readonly [string, ...string[]]): void {
  const unknown = Object.keys(option).find((name) => name !== form && !others.includes(name))
  if (unknown === undefined) return
  const allowed = others.length === 0 ? 'there is nothing else' : `there is only "${others.join('", "')}"`
  throw new AH_KIT_REDIS_OPTION(`unknown option "redis.${unknown}": beside "${form}" ${allowed}`)
}

function refuseUnsupported(options: Pick<RedisOptions, 'keyPrefix' | 'stringNumbers' | 'replyMapping'> = {}): void {
  const { keyPrefix, stringNumbers, replyMapping } = options
  if (keyPrefix) {
    throw new AH_KIT_REDIS_OPTION(
      `option "redis.keyPrefix" is not supported (scripts build keys of their own): use the option "prefix" instead of keyPrefix ${JSON.stringify(keyPrefix)}`,
    )
  }
  if (stringNumbers || replyMapping === 'resp3') {
    throw new AH_KIT_REDIS_OPTION(
      `option "redis.${stringNumbers ? 'stringNumbers' : 'replyMapping'}" is not supported: it changes the form of answers`,
    )
  }
}
