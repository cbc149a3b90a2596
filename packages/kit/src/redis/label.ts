// What a Redis is called in logs and messages: where it is, never how to get in.
import type { ClusterNode, RedisOptions } from 'ioredis'

/** One server, or the master behind Sentinel. */
export function serverLabel({ sentinels, name, path, host, port, db, tls }: RedisOptions): string {
  if (sentinels) {
    const nodes = sentinels.map((sentinel) => address(sentinel.host, sentinel.port ?? 26379))
    return `master "${name ?? ''}" of the sentinels at ${nodes.join(', ')}`
  }
  if (path) return path
  return `${tls ? 'rediss' : 'redis'}://${address(host, port)}/${db ?? 0}`
}

/** A Redis Cluster, by the nodes that it is looked for at. */
export function clusterLabel(nodes: readonly ClusterNode[]): string {
  return `Redis Cluster at ${nodes.map(nodeLabel).join(', ')}`
}

function nodeLabel(node: ClusterNode): string {
  if (typeof node === 'number') return address(undefined, node)
  if (typeof node !== 'string') return address(node.host, node.port)
  // With or without a scheme, as ioredis takes it.
  const url = /^\w+:\/\//.test(node) ? node : `redis://${node}`
  return URL.canParse(url) ? address(new URL(url).hostname, new URL(url).port || undefined) : 'a node'
}

function address(host = 'localhost', port: number | string = 6379): string {
  return `${host}:${port}`
}
