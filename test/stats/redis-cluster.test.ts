// The contract on a Redis Cluster of three masters.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedisCluster, until } from 'fastify-ah-test-support'
import { statsContract } from './contract.ts'
import { openApp, openStats } from './open-stats.ts'

const cluster = await startRedisCluster({}, test)
const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
const redis = { cluster: nodes }

statsContract('a Redis Cluster', (options, scope) => openStats({ redis, ...options }, scope))

test('[5] a slot that moves while counts are written: no CROSSSLOT, each count is added once', async (t) => {
  const { stats, lines } = await openApp({ redis, prefix: 'moving:', writeMs: 1 }, t)
  const slot = Number(await cluster.nodes[0]!.command('CLUSTER', 'KEYSLOT', 'moving:stats'))
  let counted = 0
  let isOver = false
  const counting = (async () => {
    while (!isOver) {
      stats.increment(`key ${counted % 7}`)
      counted += 1
      await stats.write().catch((error: { code?: string }) => assert.match(String(error.code), /^AH_KIT_REDIS_/))
    }
  })()
  for (let move = 0; move < 3; move += 1) {
    const from = await cluster.ownerOf(slot)
    const before = counted
    await cluster.migrateSlot(slot, from, (from + 1) % 3)
    await until(() => counted > before + 20, { what: 'counts are written after the move' })
  }
  isOver = true
  await counting
  await until(() => stats.waiting === 0)
  const sums = Object.values((await stats.getAll())['stats']!)
  const written = sums.reduce((sum, one) => sum + one, 0)
  assert.equal(written, counted)
  assert.ok(!lines.some((line) => JSON.stringify(line).includes('CROSSSLOT')))
})
