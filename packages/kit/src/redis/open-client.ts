// Opens our own clients: their deadlines and their reconnecting, for each role that a connection can have.
import { Cluster, type ClusterNode, type ClusterOptions, Redis, type RedisOptions } from 'ioredis'

/**
 * `request`: short commands that somebody waits for. `blocking`: BLPOP and its like, which may wait long.
 * `subscriber`: SUBSCRIBE, which ioredis repeats after a cut. `reconciled`: SUBSCRIBE for a user who compares what each
 * socket holds with what is wanted, so ioredis repeats nothing. `tracking`: CLIENT TRACKING redirected to itself. All
 * but the first have a connection of their own.
 */
export type ConnectionRole = 'request' | 'blocking' | 'subscriber' | 'reconciled' | 'tracking'

/** How long a command of the request path may take, in ms. */
export const requestDeadlineMs = 5000

// How long a socket may take to close: a peer that does not answer FIN must not hold up a process that wants to end.
const disconnectTimeout = 200

// Fast at first, for a restart or a cut; then no longer than this, with jitter.
function delayUpTo(mostMs: number): (times: number) => number {
  return (times) => {
    const cap = Math.min(50 * 2 ** Math.min(times - 1, 10), mostMs)
    return cap / 2 + (Math.random() * cap) / 2
  }
}

// Redis coming back is noticed within 2 s.
const retryDelay = delayUpTo(2000)

// Under Sentinel the next master leads after some seconds, and each moment that one waits after that is lost.
const sentinelDelay = delayUpTo(500)

// For the connections that watch for failovers: ioredis prints a line to stderr each time one of them fails.
function watchDelay(times: number): number {
  return Math.min(2000 * times, 30_000)
}

// A demoted master answers READONLY for ever; the connection is made anew, to whoever is the master now.
function isDemoted(error: Error): boolean {
  return error.message.startsWith('READONLY')
}

/**
 * What a user may set otherwise. No `socketTimeout`: it costs a timer and a listener for each command, 7 % of a lone GET;
 * a silent socket is found by `ClientCare`.
 */
const preferences = {
  connectTimeout: requestDeadlineMs,
  disconnectTimeout,
  retryStrategy: retryDelay,
  reconnectOnError: isDemoted,
  maxRetriesPerRequest: 1,
} as const satisfies RedisOptions

/**
 * What a connection that blocks or subscribes depends on, whatever the user set for requests: it connects for ever, and
 * its deadline is a watchdog's. ioredis' timeouts would leave the BLPOP on the server, which eats the next element.
 */
const dedication = {
  disconnectTimeout,
  retryStrategy: retryDelay,
  reconnectOnError: isDemoted,
  maxRetriesPerRequest: null,
  enableOfflineQueue: true,
  socketTimeout: undefined,
  commandTimeout: undefined,
  blockingTimeout: undefined,
} as const

// ioredis drops what Redis says of keys in RESP3; and who tracks subscribes anew only after it has begun to track.
const tracking = { protocol: 2, autoResubscribe: false } as const satisfies RedisOptions

// An UNSUBSCRIBE that was sent again on a later socket would end what has been subscribed there since.
const reconciled = {
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
} as const satisfies RedisOptions

function serverOptions(role: ConnectionRole, user: RedisOptions): RedisOptions {
  return {
    ...preferences,
    // Without the detector a frozen master is not left before a deadline is over; a sentinel that is frozen is passed over.
    ...(user.sentinels
      ? {
          failoverDetector: true,
          sentinelReconnectStrategy: watchDelay,
          sentinelCommandTimeout: 2000,
          retryStrategy: sentinelDelay,
        }
      : {}),
    ...user,
    ...(role === 'request' ? {} : (dedication as RedisOptions)),
    ...(role !== 'request' && user.sentinels ? { retryStrategy: sentinelDelay } : {}),
    ...(role === 'tracking' ? tracking : {}),
    ...(role === 'reconciled' ? reconciled : {}),
    lazyConnect: false,
  }
}

function clusterOptions(role: ConnectionRole, user: ClusterOptions): ClusterOptions {
  return {
    clusterRetryStrategy: retryDelay,
    slotsRefreshTimeout: 2000,
    slotsRefreshInterval: 5000,
    // Failover and resharding end within seconds; a command's own deadline ends the waiting.
    retryDelayOnFailover: 200,
    retryDelayOnClusterDown: 200,
    maxRedirections: 32,
    ...user,
    ...(role === 'request' ? {} : { clusterRetryStrategy: retryDelay, enableOfflineQueue: true }),
    // Otherwise SSUBSCRIBE goes to a node that does not hold the channel's slot.
    ...(role === 'subscriber' ? { shardedSubscribers: true } : {}),
    lazyConnect: false,
    redisOptions: {
      ...preferences,
      ...user.redisOptions,
      ...(role === 'request' ? {} : (dedication as RedisOptions)),
    },
  }
}

/** Opens a client to one server, alone or behind Sentinel. */
export function openServer(role: ConnectionRole, options: RedisOptions): Redis {
  return new Redis(serverOptions(role, options) as ExactOptions)
}

/** Opens a client to a Redis Cluster. */
export function openCluster(role: ConnectionRole, nodes: readonly ClusterNode[], options: ClusterOptions): Cluster {
  return new Cluster([...nodes], clusterOptions(role, options) as ExactClusterOptions)
}

/** A client of one's own beside one that was handed in: by its own class, to the same Redis, as its role needs it. */
export function duplicateClient(role: ConnectionRole, client: Redis | Cluster): Redis | Cluster {
  if (!client.isCluster) {
    const { options } = client as Redis
    return (client as Redis).duplicate({
      ...serverOptions(role, options),
      ...(options.sentinels ? { failoverDetector: true } : {}),
    } as ExactOptions)
  }
  const options = clusterOptions(role, (client as Cluster).options as ClusterOptions)
  return (client as Cluster).duplicate([], options as ExactClusterOptions)
}

// The types of the constructors do not know exactOptionalPropertyTypes, those of the options do.
type ExactOptions = RedisOptions & { replyMapping?: 'legacy' }
type ExactClusterOptions = NonNullable<ConstructorParameters<typeof Cluster>[1]>
