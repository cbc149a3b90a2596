// Owns a Redis that Sentinels watch: a master, its replica, three sentinels, all real.
import { Redis } from 'ioredis'
import type { ClientOptions, RedisServer } from './redis-server.ts'
import { atEnd, type TestScope } from './scope.ts'
import { ServerGroup } from './server-group.ts'
import { until } from './until.ts'

/** How it is started. */
export interface SentinelOptions {
  /** Silence after which a sentinel holds the master to be down. Default 1000. */
  downAfterMs?: number
  /** Lines of redis.conf for master and replica. */
  config?: Record<string, string | string[]>
}

/** One master, one replica, three sentinels (two must agree). Ends with the test. */
export interface RedisSentinel {
  /** Where the sentinels listen, as ioredis takes it. */
  readonly sentinels: { host: string; port: number }[]
  /** What they call the master. */
  readonly name: string
  /** A client that asks the sentinels, closed with the rest. */
  client(options?: ClientOptions): Redis
  /** The server that most sentinels hold to be the master now; while they are stopped, what they said last. */
  master(): Promise<RedisServer>
  /** The other one. */
  replica(): Promise<RedisServer>
  /** `kill -9` of the master; answers it, so that it can be restarted. A failover follows. */
  killMaster(): Promise<RedisServer>
  /** SIGSTOP of the master; answers it, so that it can be resumed. A failover follows. */
  pauseMaster(): Promise<RedisServer>
  /**
   * Makes the replica the master while the old master lives on and keeps its connections: on them every write answers
   * READONLY. Waits until the sentinels agree; answers the old master.
   */
  demoteMaster(): Promise<RedisServer>
  stopSentinels(): Promise<void>
  startSentinels(): Promise<void>
  /** Ends everything. Twice is fine. */
  stop(): Promise<void>
}

const NAME = 'ah'
const QUORUM = 2

/** Starts all five and waits until all sentinels know each other and the replica. */
export async function startSentinel(options: SentinelOptions = {}, scope?: TestScope): Promise<RedisSentinel> {
  const { downAfterMs = 1_000, config = {} } = options
  const whole = await ServerGroup.build(async (group) => {
    // Without the delay a replica that has just been connected gets its data at once.
    const dataConfig = { 'repl-diskless-sync-delay': '0', ...config }
    const master = await group.start({ config: dataConfig })
    const replica = await group.start({ config: { ...dataConfig, replicaof: `${master.host} ${master.port}` } })
    // A sentinel hears of the replica from the master, and asks again only after 10 s.
    await until(async () => (await replication(master)).includes('state=online'), { what: 'the replica is in step' })
    const sentinel = [
      `monitor ${NAME} ${master.host} ${master.port} ${QUORUM}`,
      `down-after-milliseconds ${NAME} ${downAfterMs}`,
      `failover-timeout ${NAME} ${downAfterMs * 3}`,
    ]
    const sentinels = await group.startMany(3, { args: ['--sentinel'], config: { sentinel } })
    const built = new OwnedSentinel(group, [master, replica], sentinels)
    await built.untilAgreed(master)
    return built
  })
  atEnd(scope, () => whole.stop())
  return whole
}

class OwnedSentinel implements RedisSentinel {
  readonly name = NAME
  readonly #group: ServerGroup
  readonly #servers: [RedisServer, RedisServer]
  readonly #sentinels: RedisServer[]
  #lastMaster: RedisServer

  constructor(group: ServerGroup, servers: [RedisServer, RedisServer], sentinels: RedisServer[]) {
    this.#group = group
    this.#servers = servers
    this.#sentinels = sentinels
    this.#lastMaster = servers[0]
  }

  get sentinels(): { host: string; port: number }[] {
    return this.#sentinels.map(({ host, port }) => ({ host, port }))
  }

  client(options: ClientOptions = {}): Redis {
    const defaults = { sentinels: this.sentinels, name: NAME, failoverDetector: true }
    return this.#group.clients.add(new Redis({ ...defaults, ...options }))
  }

  async master(): Promise<RedisServer> {
    const votes = await Promise.allSettled(this.#sentinels.map((sentinel) => masterPort(sentinel)))
    const named = (server: RedisServer) =>
      votes.filter((vote) => vote.status === 'fulfilled' && vote.value === server.port).length
    this.#lastMaster = this.#servers.find((server) => named(server) >= QUORUM) ?? this.#lastMaster
    return this.#lastMaster
  }

  async replica(): Promise<RedisServer> {
    const master = await this.master()
    return this.#servers.find((server) => server !== master)!
  }

  async killMaster(): Promise<RedisServer> {
    const master = await this.master()
    await master.kill()
    return master
  }

  async pauseMaster(): Promise<RedisServer> {
    const master = await this.master()
    master.pause()
    return master
  }

  async demoteMaster(): Promise<RedisServer> {
    const [old, next] = [await this.master(), await this.replica()]
    // Redis swaps the two itself and closes no connection; a failover by Sentinel alone would kill the clients of the old.
    await old.command('FAILOVER', 'TO', next.host, next.port)
    await until(async () => /role:slave/.test(await replication(old)), { what: 'the old master is a replica' })
    // The sentinels would notice only after 20 s; asked to fail over, they find the new master promoted and say so.
    await until(() => this.#sentinels[0]!.command('SENTINEL', 'FAILOVER', NAME), { what: 'a sentinel fails over' })
    await this.untilAgreed(next)
    return old
  }

  async stopSentinels(): Promise<void> {
    await Promise.all(this.#sentinels.map((sentinel) => sentinel.stop()))
  }

  async startSentinels(): Promise<void> {
    await Promise.all(this.#sentinels.map((sentinel) => sentinel.restart()))
  }

  async stop(): Promise<void> {
    await this.#group.dispose()
  }

  /** Until each sentinel knows the others, one replica, and `master`. */
  async untilAgreed(master: RedisServer): Promise<void> {
    const isReady = async (sentinel: RedisServer) => {
      const view = toRecord((await sentinel.command('SENTINEL', 'MASTER', NAME)) as string[])
      const isWhole = view['num-other-sentinels'] === '2' && view['num-slaves'] === '1' && view['flags'] === 'master'
      return isWhole && view['port'] === String(master.port)
    }
    await until(async () => (await Promise.all(this.#sentinels.map(isReady))).every(Boolean), {
      what: `all sentinels hold ${master.port} to be the master and know each other`,
      deadlineMs: 30_000,
    })
  }
}

async function masterPort(sentinel: RedisServer): Promise<number> {
  const [, port] = (await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as [string, string]
  return Number(port)
}

async function replication(server: RedisServer): Promise<string> {
  return String(await server.command('INFO', 'replication'))
}

/** Redis' flat list of names and values. */
function toRecord(list: string[]): Record<string, string | undefined> {
  return Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1]]] : [])))
}
