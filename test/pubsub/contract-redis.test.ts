// The contract on one Redis server, also with sharded pub/sub, and on the embedded store.
import { test } from 'node:test'
import { startRedis } from 'fastify-ah-test-support'
import { transportContract } from './contract.ts'

const redis = await startRedis({}, test)
const cut = async () => {
  await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
}

transportContract('one Redis', { options: { redis: redis.url }, hasPatterns: true, cut })

// In RESP2 a connection that subscribes may ask for nothing else.
const { host, port } = redis
transportContract('one Redis that speaks RESP2', {
  options: { redis: { host, port, protocol: 2 } },
  hasPatterns: true,
  cut,
})

transportContract('one Redis, sharded', { options: { redis: redis.url, isSharded: true }, hasPatterns: false, cut })
