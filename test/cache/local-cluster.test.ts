// The local tier on a Redis Cluster, while slots move and masters change.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeySpace, redisRegistryOf } from 'fastify-ah-kit/redis'
import { startRedisCluster, until } from 'fastify-ah-test-support'
import { ask, changesAreSeen, untilTracking } from './local-reads.ts'
import { openApp, openCache } from './open-cache.ts'

const local = { max: 1_000 }
const space = new KeySpace({ prefix: 'actionhero:', isTagged: true })

test('[20] [5] Redis Cluster: keys of every master are heard of, also after a slot has moved and with keys on the way', async (t) => {
  const cluster = await startRedisCluster({}, t)
  const redis = { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) }
  const app = await openApp({ redis, local }, t)
  const { cache } = app
  const writer = await openCache({ redis }, t)
  await untilTracking(cache)
  const [used] = redisRegistryOf(app).connections
  assert.equal(used!.connection.dedicatedConnections.size, 3, 'a connection for each master')
  const names = Array.from({ length: 30 }, (_, index) => `k${index}`)
  await changesAreSeen(cache, writer, names)

  const client = cluster.client()
  const slot = await client.cluster('KEYSLOT', space.key('cache', 'k0'))
  const from = await cluster.ownerOf(slot)
  const to = (from + 1) % 3
  let reading: Promise<unknown> | undefined
  await cluster.migrateSlot(slot, from, to, {
    midway: async () => {
      await client.set(space.key('cache', 'k0'), JSON.stringify({ value: 'midway', createdAt: 1 }))
      // Redis answers for value and lock together only when both are on one side.
      reading = cache.get('k0')
      await until(() => cache.local!.entries < names.length, { what: 'that it left its old place is heard' })
    },
  })
  assert.equal(await reading, 'midway')
  await writer.save('k0', 'moved')
  await until(async () => (await cache.get('k0')) === 'moved', { deadlineMs: 5_000 })
  await untilTracking(cache)
  await changesAreSeen(cache, writer, names)
  assert.equal(used!.connection.dedicatedConnections.size, 3)
})

test('[20] [5] Redis Cluster: a master is killed and its replica takes over', async (t) => {
  const cluster = await startRedisCluster({ replicas: 1 }, t)
  const redis = { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) }
  const cache = await openCache({ redis, local }, t)
  const writer = await openCache({ redis }, t)
  await untilTracking(cache)
  const names = Array.from({ length: 12 }, (_, index) => `k${index}`)
  await changesAreSeen(cache, writer, names)

  const killed = await cluster.killMaster(0)
  await until(() => cache.local!.entries === 0, { what: 'memory is empty', everyMs: 1 })
  await until(async () => !(await ownersPorts(cluster.client())).includes(killed.port), { deadlineMs: 30_000 })
  await until(() => Promise.all(names.map((name) => writer.save(name, 'by the new master'))), { deadlineMs: 20_000 })
  for (const name of names) {
    await until(async () => (await cache.get(name)) === 'by the new master', { deadlineMs: 20_000 })
  }
  await untilTracking(cache)
  await changesAreSeen(cache, writer, names)
  assert.equal((await ask(cache, names[0]!)).from, 'memory')
})

async function ownersPorts(client: ReturnType<Awaited<ReturnType<typeof startRedisCluster>>['client']>) {
  const ranges = await client.cluster('SLOTS')
  client.disconnect()
  return ranges.map(([, , ...nodes]) => nodes[0]?.[1])
}
