// Owns a real Redis Cluster.
import { Cluster, type ClusterOptions } from 'ioredis'
import { freePort } from './port.ts'
import type { RedisServer } from './redis-server.ts'
import { atEnd, type TestScope } from './scope.ts'
import { ServerGroup } from './server-group.ts'
import { giveSlots, moveSlot, nodeId, portsOfSlot, type SlotMove } from './slot-map.ts'
import { until } from './until.ts'

/** How it is started. */
export interface RedisClusterOptions {
  /** Default 3; Redis needs three for a failover. */
  masters?: number
  /** Replicas of each master. Default 0. */
  replicas?: number
  /** Silence after which a node holds another to be dead. Default 2000. */
  nodeTimeoutMs?: number
  /** Lines of redis.conf for every node. */
  config?: Record<string, string | string[]>
}

/** ioredis options; answers keep their usual form, whatever the protocol. */
export type ClusterClientOptions = Omit<ClusterOptions, 'redisOptions'> & {
  redisOptions?: NonNullable<ClusterOptions['redisOptions']> & { replyMapping?: 'legacy' }
}

/** A running cluster; ends with the test. */
export interface RedisCluster {
  /** First the masters, then the first replica of each, then the second …, as they were at the start. */
  readonly nodes: readonly RedisServer[]
  /** A client that knows all nodes, closed with the cluster. */
  client(options?: ClusterClientOptions): Cluster
  /** `kill -9` of `nodes[i]`; answers it, so that it can be restarted. */
  killMaster(i: number): Promise<RedisServer>
  /** Index in {@link nodes} of the master that owns the slot, by the word of the first living node. */
  ownerOf(slot: number): Promise<number>
  /** Moves a slot with its keys from one master to another (indices in {@link nodes}); waits until all nodes know. */
  migrateSlot(slot: number, from: number, to: number, options?: SlotMove): Promise<void>
  /** Waits until every living node says `cluster_state:ok`. */
  untilOk(): Promise<void>
  /** Ends everything. Twice is fine. */
  stop(): Promise<void>
}

const QUICK = {
  'cluster-enabled': 'yes',
  // A replica that was just made must be allowed to take over, however long it has heard nothing from its master.
  'cluster-replica-validity-factor': '0',
  'repl-diskless-sync-delay': '0',
  // Nodes do not name a replica that has received nothing yet, and an idle master sends only this ping.
  'repl-ping-replica-period': '1',
}

/** Starts the nodes, joins them, spreads the slots evenly and waits until every node says that the cluster is whole. */
export async function startRedisCluster(options: RedisClusterOptions = {}, scope?: TestScope): Promise<RedisCluster> {
  const { masters = 3, replicas = 0, nodeTimeoutMs = 2_000, config = {} } = options
  const cluster = await ServerGroup.build(async (group) => {
    const count = masters * (1 + replicas)
    const nodeConfig = { ...QUICK, 'cluster-node-timeout': String(nodeTimeoutMs), ...config }
    const nodes = await Promise.all(Array.from({ length: count }, () => startNode(group, nodeConfig)))
    await Promise.all(nodes.slice(0, masters).map(({ server }, i) => giveSlots(server, i, masters)))
    await meet(nodes)
    const built = new OwnedCluster(
      group,
      nodes.map(({ server }) => server),
    )
    await built.untilOk()
    await built.replicate(masters, replicas)
    return built
  })
  atEnd(scope, () => cluster.stop())
  return cluster
}

interface StartedNode {
  server: RedisServer
  busPort: number
}

async function startNode(group: ServerGroup, config: Record<string, string | string[]>): Promise<StartedNode> {
  // By default it is the port + 10 000, which may be taken.
  const busPort = await freePort()
  return { server: await group.start({ config: { 'cluster-port': String(busPort), ...config } }), busPort }
}

async function meet([first, ...others]: StartedNode[]): Promise<void> {
  // Different epochs from the start: nodes with equal ones first have to settle which is newer.
  await Promise.all([first!, ...others].map(({ server }, i) => server.command('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)))
  for (const { server, busPort } of others) {
    await first!.server.command('CLUSTER', 'MEET', server.host, server.port, busPort)
  }
}

class OwnedCluster implements RedisCluster {
  readonly nodes: readonly RedisServer[]
  readonly #group: ServerGroup

  constructor(group: ServerGroup, nodes: RedisServer[]) {
    this.#group = group
    this.nodes = nodes
  }

  client(options: ClusterClientOptions = {}): Cluster {
    const addresses = this.nodes.map(({ host, port }) => ({ host, port }))
    return this.#group.clients.add(new Cluster(addresses, options))
  }

  async killMaster(i: number): Promise<RedisServer> {
    const server = this.nodes[i]!
    await server.kill()
    return server
  }

  async ownerOf(slot: number): Promise<number> {
    const [port] = await portsOfSlot(this.#living()[0]!, slot)
    return this.nodes.findIndex((node) => node.port === port)
  }

  async migrateSlot(slot: number, from: number, to: number, options: SlotMove = {}): Promise<void> {
    const [source, target] = [this.nodes[from]!, this.nodes[to]!]
    const roles = await this.#ask((node) => node.command('ROLE'))
    const masters = this.#living().filter((_node, i) => (roles[i] as unknown[])[0] === 'master')
    const others = masters.filter((node) => node !== source && node !== target)
    await moveSlot(slot, source, target, { ...options, others })
    await until(
      async () => (await this.#ask((node) => portsOfSlot(node, slot))).every(([port]) => port === target.port),
      { what: `every node knows that slot ${slot} moved` },
    )
  }

  async untilOk(): Promise<void> {
    const isOk = (info: unknown) => String(info).includes('cluster_state:ok')
    await until(async () => (await this.#ask((node) => node.command('CLUSTER', 'INFO'))).every(isOk), {
      what: 'every node says cluster_state:ok',
      deadlineMs: 30_000,
    })
  }

  async stop(): Promise<void> {
    await this.#group.dispose()
  }

  /** Makes the nodes behind the first `masters` their replicas, in turn, and waits until they are in step and known. */
  async replicate(masters: number, replicas: number): Promise<void> {
    const ids = await Promise.all(this.nodes.slice(0, masters).map(nodeId))
    const slaves = this.nodes.slice(masters)
    // Gossip may not have told it of its master yet.
    const follow = (node: RedisServer, i: number) =>
      until(() => node.command('CLUSTER', 'REPLICATE', ids[i % masters]!), { what: 'a node follows its master' })
    await Promise.all(slaves.map(follow))
    const isInStep = async (node: RedisServer) =>
      String(await node.command('INFO', 'replication')).includes('master_link_status:up')
    await until(async () => (await Promise.all(slaves.map(isInStep))).every(Boolean), { what: 'replicas are in step' })
    const isKnown = (ports: number[]) => ports.length === 1 + replicas
    await until(async () => (await this.#ask((node) => portsOfSlot(node, 0))).every(isKnown), {
      what: 'every node knows the replicas',
    })
  }

  #living(): RedisServer[] {
    return this.nodes.filter((node) => node.isRunning)
  }

  #ask<Answer>(question: (node: RedisServer) => Promise<Answer>): Promise<Answer[]> {
    return Promise.all(this.#living().map(question))
  }
}
