// The contract on one Redis server, and the bytes there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guardRecordMs, redisRegistryOf } from 'fastify-ah-kit/redis'
import { startRedis } from 'fastify-ah-test-support'
import { statsContract } from './contract.ts'
import { openApp, openStats } from './open-stats.ts'

const redis = await startRedis({}, test)
const client = redis.client()

statsContract('one server', (options, scope) => openStats({ redis: redis.url, ...options }, scope))

test("the hash is ActionHero's, whoever adds to it", async (t) => {
  const stats = await openStats({ redis: redis.url }, t)
  await client.hincrby('actionhero:stats', 'visits', 40)
  stats.increment('visits', 2)
  await stats.write()
  assert.deepEqual(await client.hgetall('actionhero:stats'), { visits: '42' })
  await client.hincrby('actionhero:stats', 'visits', 1)
  assert.equal(await stats.get('visits'), 43)
})

test('one command for each collection, however much was counted', async (t) => {
  const { app, stats } = await openApp(
    { redis: redis.url, prefix: 'once:', collections: ['stats', 'stats:b'], writeMs: 3_600_000 },
    t,
  )
  await stats.write()
  const before = await commands()
  for (let count = 0; count < 10_000; count += 1) stats.increment(`key ${count % 400}`)
  await stats.write()
  assert.equal((await commands()) - before, 2)
  await stats.write()
  assert.equal((await commands()) - before, 2, 'nothing to write, nothing sent')
  const [used] = redisRegistryOf(app).connections
  assert.deepEqual([...used!.connection.sent], ['add-counts'])
})

test('each process leaves one record for each collection, for a day', async (t) => {
  const stats = await openStats({ redis: redis.url, prefix: 'record:' }, t)
  for (let round = 0; round < 3; round += 1) {
    stats.increment('a')
    await stats.write()
  }
  const [record, ...others] = await client.keys('record:stats-batch:*')
  assert.match(record!, /^record:stats-batch:\{record:stats\}:[\w-]{36}$/)
  assert.deepEqual(others, [])
  const ttl = await client.pttl(record!)
  assert.ok(ttl > guardRecordMs && ttl <= 86_400_000, `${ttl} ms`)
})

test("other programs' fields are refused by get, left out by getAll, and not touched", async (t) => {
  const { stats, lines } = await openApp({ redis: redis.url, prefix: 'foreign:', writeMs: 3_600_000 }, t)
  const foreign = { text: 'x', fraction: '1.5', empty: '', huge: '99999999999999999999', big: '9007199254740992' }
  await client.hset('foreign:stats', { ...foreign, zeros: '007' })
  for (const key of [...Object.keys(foreign), 'zeros', 'mine']) stats.increment(key)
  await stats.write()
  assert.deepEqual(await client.hgetall('foreign:stats'), { ...foreign, zeros: '8', mine: '1' })
  for (const key of Object.keys(foreign)) await assert.rejects(stats.get(key), { code: 'AH_STATS_NOT_A_NUMBER' })
  assert.deepEqual({ ...(await stats.getAll())['stats'] }, { zeros: 8, mine: 1 })
  assert.equal(stats.lost, 5)
  const [told] = lines
  assert.deepEqual([told?.['collection'], told?.['keys']], ['stats', Object.keys(foreign)])
})

async function commands(): Promise<number> {
  return (
    Number(/cmdstat_eval:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0) +
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0)
  )
}
