// The cache against plain ioredis commands, and against the three round trips that ActionHero 29 makes of them.
import { startRedis } from 'fastify-ah-test-support'

/** Of each measurement. */
const MS = 500

export default async function cache(session) {
  const redis = await startRedis({}, session)
  const env = { BENCH_REDIS: redis.url }
  const ours = await session.contender('cache-ours.js', env)
  const ioredis = await session.contender('cache-ioredis.js', env)
  const threeTrips = await session.contender('cache-three-trips.js', env)

  const duel = (name, target, callers, ourOperation, peer, peerOperation) =>
    session.duel({
      name: `${name}, ${callers === 1 ? '1 caller' : `${callers} callers`}`,
      unit: 'operations/s',
      target,
      ours: () => ours.rate(ourOperation, { callers, ms: MS }),
      peer: () => peer.rate(peerOperation, { callers, ms: MS }),
    })

  await duel('get, against ioredis GET + JSON.parse', 0.85, 1, 'get', ioredis, 'get')
  await duel('save, against ioredis SET PX + JSON.stringify', 0.85, 1, 'save', ioredis, 'save')
  await duel("load, against ActionHero's three round trips", 2.5, 1, 'load', threeTrips, 'load')
  await duel("save, against ActionHero's three round trips", 2.5, 1, 'save', threeTrips, 'save')

  const local = await session.contender('cache-local.js', env)
  const bentocache = await session.contender('cache-bentocache.js', env)
  const lru = await session.contender('cache-lru.js', env)
  const fromMemory = (name, target, callers, peer) =>
    session.duel({
      name: `get from memory, ${name}, ${callers === 1 ? '1 caller' : `${callers} callers`}`,
      unit: 'operations/s',
      target,
      ours: () => local.rate('get', { callers, ms: MS }),
      peer: () => peer.rate('get', { callers, ms: MS }),
    })
  for (const callers of [1, 64]) {
    await fromMemory('against bentocache (memory, Redis, bus)', 10, callers, bentocache)
    await fromMemory('against `await` around lru-cache', 0.5, callers, lru)
  }
}
