// The contract on a Redis Cluster of three masters.
import { test } from 'node:test'
import { startRedisCluster } from 'fastify-ah-test-support'
import { tasksContract } from './contract.ts'
import { openTasks } from './open-tasks.ts'

const cluster = await startRedisCluster({}, test)
const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))

tasksContract('a Redis Cluster', {
  open: (options, scope) => openTasks({ redis: { cluster: nodes }, ...options }, scope),
  redis: cluster.client(),
  key: (namespace, name) => `{${namespace}}:${name}`,
})
