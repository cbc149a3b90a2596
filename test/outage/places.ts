// Owns the Redis of a row: one server, Sentinel 1+1+3, or Redis Cluster 3+3, and how the plugins are told of it.
import type { RedisOption } from 'fastify-ah-kit/redis'
import {
  type RedisCluster,
  type RedisSentinel,
  type RedisServer,
  startProxy,
  startRedis,
  startRedisCluster,
  startSentinel,
  type TcpProxy,
  type TestScope,
} from 'fastify-ah-test-support'

export const topologies = ['one server', 'Sentinel', 'Redis Cluster'] as const

/** What a Redis can be made of. */
export type Topology = (typeof topologies)[number]

interface Common {
  /** What the plugins get as `redis`. */
  readonly redis: RedisOption
  /** One before each server that holds data, where the row asked for them; else none. */
  readonly proxies: readonly TcpProxy[]
}

/** A running Redis. */
export type Place =
  | (Common & { readonly topology: 'one server'; readonly server: RedisServer })
  | (Common & { readonly topology: 'Sentinel'; readonly sentinel: RedisSentinel })
  | (Common & { readonly topology: 'Redis Cluster'; readonly cluster: RedisCluster })

/** How it is started. */
export interface PlaceOptions {
  /** A proxy stands before each server that holds data. */
  readonly isProxied: boolean
  /** Silence after which a Sentinel, or a node of the Cluster, holds another to be down, in ms. */
  readonly downAfterMs: number
}

// Every write is on the disk before it is answered: what is lost then is not the disk's fault.
const config = { appendonly: 'yes', appendfsync: 'always' }

/** Starts one; ends with the scope. */
export function startPlace(topology: Topology, options: PlaceOptions, scope: TestScope): Promise<Place> {
  if (topology === 'one server') return oneServer(options, scope)
  return topology === 'Sentinel' ? underSentinel(options, scope) : inCluster(options, scope)
}

async function oneServer({ isProxied }: PlaceOptions, scope: TestScope): Promise<Place> {
  const server = await startRedis({ appendfsyncAlways: true }, scope)
  const proxies = await before(isProxied ? [server] : [], scope)
  return { topology: 'one server', server, proxies, redis: proxies[0]?.url ?? server.url }
}

async function underSentinel({ isProxied, downAfterMs }: PlaceOptions, scope: TestScope): Promise<Place> {
  const sentinel = await startSentinel({ downAfterMs, config }, scope)
  const servers = [await sentinel.master(), await sentinel.replica()]
  const proxies = await before(isProxied ? servers : [], scope)
  const { sentinels, name } = sentinel
  const redis = { sentinels, name, ...(isProxied && { natMap: natMapOf(servers, proxies) }) }
  return { topology: 'Sentinel', sentinel, proxies, redis }
}

async function inCluster({ isProxied, downAfterMs }: PlaceOptions, scope: TestScope): Promise<Place> {
  const cluster = await startRedisCluster({ masters: 3, replicas: 1, nodeTimeoutMs: downAfterMs, config }, scope)
  const proxies = await before(isProxied ? cluster.nodes : [], scope)
  const nodes = (isProxied ? proxies : cluster.nodes).map(({ host, port }) => ({ host, port }))
  const options = isProxied ? { natMap: natMapOf(cluster.nodes, proxies) } : {}
  return { topology: 'Redis Cluster', cluster, proxies, redis: { cluster: nodes, options } }
}

function before(servers: readonly RedisServer[], scope: TestScope): Promise<TcpProxy[]> {
  return Promise.all(servers.map((target) => startProxy({ target }, scope)))
}

/** Servers tell each other's addresses: what they say is replaced by the proxy before it. */
function natMapOf(servers: readonly RedisServer[], proxies: readonly TcpProxy[]) {
  const pairs = servers.map(({ host, port }, i) => {
    const { host: to, port: at } = proxies[i] as TcpProxy
    return [`${host}:${port}`, { host: to, port: at }] as const
  })
  return Object.fromEntries(pairs)
}
