// The contract on a Redis Cluster of three masters, with plain and with sharded pub/sub.
import { test } from 'node:test'
import { startRedisCluster } from 'fastify-ah-test-support'
import { transportContract } from './contract.ts'

const cluster = await startRedisCluster({}, test)
const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
const cut = async () => {
  await Promise.all(cluster.nodes.map((node) => node.command('CLIENT', 'KILL', 'TYPE', 'pubsub')))
}

transportContract('a Redis Cluster', { options: { redis: { cluster: nodes } }, hasPatterns: true, cut })
transportContract('a Redis Cluster, sharded', {
  options: { redis: { cluster: nodes }, isSharded: true },
  hasPatterns: false,
  cut,
})
