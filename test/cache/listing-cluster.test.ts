// What goes through all keys of a Redis Cluster, while one of its masters is away.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startRedisCluster, tempDir, until } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

test('[5] with a master away keys, size, locks, clear and dumps say so, and leave nothing out', async (t) => {
  const cluster = await startRedisCluster({}, t)
  const redis = { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) }
  const cache = await openCache({ redis }, t)
  await Promise.all(Array.from({ length: 300 }, (_, index) => cache.save(`k${index}`, index)))
  const { path: folder } = tempDir(t)
  const [dump, half] = [join(folder, 'dump'), join(folder, 'half')]
  assert.equal(await cache.dumpWrite(dump), 300)
  const others = cluster.nodes.slice(1)
  const left = () => Promise.all(others.map((node) => node.command('DBSIZE')))
  const before = await left()

  const killed = await cluster.killMaster(0)
  const calls = {
    keys: cache.keys(),
    size: cache.size(),
    locks: cache.locks(),
    clear: cache.clear(),
    dumpWrite: cache.dumpWrite(half),
    dumpRead: cache.dumpRead(dump),
  }
  const outcomes = await Promise.allSettled(Object.values(calls))
  for (const [index, name] of Object.keys(calls).entries()) {
    const outcome = outcomes[index]!
    const code = outcome.status === 'rejected' ? outcome.reason.code : 'answered'
    assert.match(code, /^AH_KIT_REDIS_(DOWN|TIMEOUT)$/, name)
  }
  assert.deepEqual(await left(), before)
  assert.equal(existsSync(half), false)

  await killed.restart()
  // Empty or not, it is there again.
  await until(async () => (await cache.size()) >= Number(before[0]) + Number(before[1]), { deadlineMs: 20_000 })
})
