// The contract on one Redis server.
import { test } from 'node:test'
import { startRedis } from 'fastify-ah-test-support'
import { tasksContract } from './contract.ts'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)

tasksContract('one Redis', {
  open: (options, scope) => openTasks({ redis: redis.url, ...options }, scope),
  redis: redis.client(),
  key: (namespace, name) => `${namespace}:${name}`,
})
