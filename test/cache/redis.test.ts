// The contract on one Redis server, and in a namespace on it.
import { test } from 'node:test'
import { startRedis } from 'fastify-ah-test-support'
import { cacheContract } from './contract.ts'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const cache = await openCache({ redis: redis.url }, test)

cacheContract('one Redis', {
  cache,
  redis: client,
  valueKey: (name) => `actionhero:cache:${name}`,
  lockKey: (name) => `actionhero:lock:${name}`,
})

cacheContract('a namespace inside a namespace', {
  cache: cache.namespace('outer *').namespace('inner'),
  redis: client,
  valueKey: (name) => `actionhero:cache:outer *:inner:${name}`,
  lockKey: (name) => `actionhero:lock:outer *:inner:${name}`,
})
