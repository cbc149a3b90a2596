// Connections to one master that name the keys that change there, and what is known of a Cluster's masters.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DedicatedConnection, keyOnMaster, missingMasters, slotOwners } from 'fastify-ah-kit/redis'
import { startRedis, startRedisCluster, until } from 'fastify-ah-test-support'
import { connected } from './app.ts'

async function track(dedicated: DedicatedConnection, prefix: string): Promise<void> {
  await dedicated.wait(
    'client tracking',
    async (client) => {
      const id = (await client.call('CLIENT', 'ID')) as number
      await client.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', prefix)
      await client.subscribe('__redis__:invalidate')
    },
    5_000,
  )
}

test('a tracking connection hears of keys, bytes as bytes, and tracks nothing after it was cut', async (t) => {
  const redis = await startRedis({}, t)
  const { connection } = await connected(t, { redis: redis.url })
  const heard: unknown[] = []
  const dedicated = connection.dedicated('tracking', (client) => {
    client.on('messageBuffer', (_channel: Buffer, keys: unknown) => heard.push(keys))
  })
  await track(dedicated, 'seen:')
  const bytes = Buffer.from('seen:\xff', 'latin1')
  await redis.command('SET', bytes, 1)
  await redis.command('SET', 'unseen:', 1)
  await redis.command('FLUSHALL')
  await until(() => heard.length >= 2)
  assert.deepEqual(heard, [[bytes], null])

  await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await until(async () => (await dedicated.wait('role', (client) => client.call('ROLE'), 5_000)) !== undefined)
  await redis.command('SET', 'seen:later', 1)
  await track(dedicated, 'seen:')
  await redis.command('SET', 'seen:again', 1)
  await until(() => heard.length >= 3)
  assert.deepEqual(heard.slice(2), [[Buffer.from('seen:again')]])
})

test('on a Cluster each master has keys of its own, and a connection of its own hears of them alone', async (t) => {
  const cluster = await startRedisCluster({}, t)
  const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
  const { connection } = await connected(t, { redis: { cluster: nodes } })
  const { client } = connection
  await until(() => missingMasters(client).length === 0)
  const masters = connection.masters()
  assert.equal(masters.length, 3)
  const heard: string[][] = masters.map(() => [])
  const keys = masters.map((master) => keyOnMaster(client, master, 'seen:')!)
  for (const [index, master] of masters.entries()) {
    const dedicated = connection.dedicated(
      'tracking',
      (own) => {
        own.on('messageBuffer', (_channel: Buffer, named: Buffer[]) => heard[index]!.push(...named.map(String)))
      },
      master,
    )
    await track(dedicated, 'seen:')
  }
  for (const key of keys) await connection.write('SET', [key, 1])
  await until(() => heard.every(({ length }) => length > 0))
  assert.deepEqual(
    heard,
    keys.map((key) => [key]),
  )

  const owners = slotOwners(client)
  assert.match(owners, /^0 127\.0\.0\.1:\d+,5461 127\.0\.0\.1:\d+,10922 127\.0\.0\.1:\d+,$/)
  await cluster.migrateSlot(100, 0, 1)
  await until(() => slotOwners(client) !== owners)
  assert.match(slotOwners(client), /^0 127\.0\.0\.1:\d+,100 127\.0\.0\.1:\d+,101 /)

  const [first] = masters
  assert.equal(keyOnMaster({ isCluster: false } as typeof client, first!, 'stem'), 'stem', 'off Cluster the stem')
  first!.disconnect()
  await until(() => missingMasters(client).length === 1)
  assert.ok(!connection.masters().includes(first!))
})
