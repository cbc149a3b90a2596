// Tests Redis Cluster.
import assert from 'node:assert/strict'
import test from 'node:test'
import { SLOTS, startRedisCluster, until } from './index.ts'

test('three masters share all slots and a client finds every key', async (t) => {
  const cluster = await startRedisCluster({}, t)
  assert.equal(cluster.nodes.length, 3)
  assert.deepEqual(await Promise.all([0, SLOTS / 2, SLOTS - 1].map((slot) => cluster.ownerOf(slot))), [0, 1, 2])
  const client = cluster.client()
  for (let i = 0; i < 100; i++) await client.set(`key${i}`, i)
  assert.equal(await client.get('key42'), '42')
  const sizes = await Promise.all(cluster.nodes.map((node) => node.command('DBSIZE')))
  for (const size of sizes) assert.ok(Number(size) > 10, String(sizes))
})

test('a slot moves with its keys, and midway both places must be asked', async (t) => {
  const cluster = await startRedisCluster({}, t)
  const client = cluster.client()
  const keys = Array.from({ length: 250 }, (_, i) => `{tag}${i}`)
  for (const key of keys) await client.set(key, key)
  const slot = Number(await cluster.nodes[0]!.command('CLUSTER', 'KEYSLOT', '{tag}'))
  const from = await cluster.ownerOf(slot)
  const to = (from + 1) % 3

  const answers = { ask: 0, here: 0 }
  const midway = async () => {
    for (const key of keys) {
      const answer = await cluster.nodes[from]!.command('GET', key).catch((error: Error) => error)
      if (answer === key) answers.here++
      else if (String(answer).includes('ASK ')) answers.ask++
      assert.equal(await client.get(key), key)
    }
  }
  await cluster.migrateSlot(slot, from, to, { midway })

  assert.deepEqual(answers, { ask: 125, here: 125 })
  assert.equal(await cluster.ownerOf(slot), to)
  await assert.rejects(cluster.nodes[from]!.command('GET', keys[0]!), /MOVED/)
  for (const key of keys) assert.equal(await client.get(key), key)
})

test('a replica takes the place of its killed master, which comes back as replica', async (t) => {
  const cluster = await startRedisCluster({ replicas: 1 }, t)
  assert.equal(cluster.nodes.length, 6)
  const client = cluster.client()
  const owner = await cluster.ownerOf(0)
  assert.equal(owner, 0)
  const killed = await cluster.killMaster(0)
  await until(async () => (await cluster.ownerOf(0)) === 3, {
    deadlineMs: 30_000,
    what: 'the first replica owns slot 0',
  })
  await cluster.untilOk()
  assert.equal(await until(() => client.set('key', 'value'), { deadlineMs: 30_000 }), 'OK')
  await killed.restart()
  const role = async () => ((await killed.command('ROLE')) as string[])[0]
  await until(async () => (await role()) === 'slave', { deadlineMs: 30_000 })
})
