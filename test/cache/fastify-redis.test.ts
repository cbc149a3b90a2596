// The cache beside @fastify/redis: on its client, on one of its namespaces, and without ever closing either.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastifyRedis from '@fastify/redis'
import fastify from 'fastify'
import { fastifyAhCache } from 'fastify-ah-cache'
import { atEnd, startRedis } from 'fastify-ah-test-support'

const redis = await startRedis({}, test)

test('without an option the client of @fastify/redis is used, and left open', async (t) => {
  const client = redis.client()
  const app = fastify()
  atEnd(t, () => app.close())
  await app.register(fastifyRedis, { client })
  await app.register(fastifyAhCache, { prefix: 'plain:' })
  await app.ready()
  const before = Number(await countOfClients())
  await app.cache.save('k', 1)
  assert.equal(await client.exists('plain:cache:k'), 1)
  assert.equal(Number(await countOfClients()), before, 'no connection of its own')
  await app.close()
  assert.equal(await client.get('plain:lock:k'), null)
})

test('a namespace of @fastify/redis is used by its name', async (t) => {
  const app = fastify()
  atEnd(t, () => app.close())
  const client = redis.client()
  await app.register(fastifyRedis, { client, namespace: 'shared' })
  await app.register(fastifyAhCache, { redis: { namespace: 'shared' }, prefix: 'named:' })
  await app.ready()
  await app.cache.save('k', 2)
  assert.equal(await client.exists('named:cache:k'), 1)
})

test('a client that was handed in is used and not closed', async (t) => {
  const app = fastify()
  atEnd(t, () => app.close())
  const client = redis.client()
  await app.register(fastifyAhCache, { redis: client, prefix: 'handed:' })
  await app.ready()
  await app.cache.push('k', 1)
  await app.close()
  assert.equal(await client.llen('handed:cache:k'), 1)
})

async function countOfClients(): Promise<string | undefined> {
  return /connected_clients:(\d+)/.exec(String(await redis.command('INFO', 'clients')))?.[1]
}
