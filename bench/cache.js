// The cache against what one writes by hand on ioredis and node-redis, against ActionHero 29's three round trips, and
// against other caches, by 1, 64 and 256 callers at once, with values of 200 bytes and of 10 KB; and from memory.
import { startRedis } from 'fastify-ah-test-support'

/** Of each measurement. */
const MS = 300

/**
 * Peer → target of a get (and load) and of a save, by callers, for 200 bytes: those of the project where it has set one,
 * else no slower. Values of 10 KB cost everybody the same JSON and the same bytes, so there it is: no slower.
 */
const targets = {
  'ioredis, by hand': { get: { 1: 0.85, 64: 2, 256: 2 }, save: { 1: 0.85, 64: 1.5, 256: 1.5 } },
  'ioredis with auto-pipelining, by hand': { get: { 1: 0.85, 64: 1, 256: 1 }, save: { 1: 0.85, 64: 1, 256: 1 } },
  'node-redis, by hand': { get: { 1: 0.7, 64: 0.7, 256: 0.7 }, save: { 1: 0.7, 64: 0.7, 256: 0.7 } },
  "ActionHero's three round trips": { get: { 1: 2.5, 64: 5, 256: 5 }, save: { 1: 2.5, 64: 4, 256: 4 } },
  'bentocache on Redis alone': { get: { 1: 0.85, 64: 1.5, 256: 1.5 }, save: { 1: 0.85, 64: 1.5, 256: 1.5 } },
  'cacheable on Redis alone': { get: { 1: 0.85, 64: 1, 256: 1 }, save: { 1: 0.85, 64: 1, 256: 1 } },
}
const targetOfLargeValues = 0.85

export default async function cache(session) {
  const redis = await startRedis({}, session)
  for (const bytes of [200, 10_000]) await againstAll(session, redis.url, bytes)
  await fromMemory(session, redis.url)
}

async function againstAll(session, url, bytes) {
  const env = { BENCH_REDIS: url, BENCH_BYTES: String(bytes) }
  // One after the other: in the same instant they would disturb each other's warming up.
  const ours = await session.contender('cache-ours.js', env)
  const peers = {
    'ioredis, by hand': await session.contender('cache-ioredis.js', env),
    'ioredis with auto-pipelining, by hand': await session.contender('cache-ioredis.js', {
      ...env,
      BENCH_AUTO_PIPELINING: '1',
    }),
    'node-redis, by hand': await session.contender('cache-node-redis.js', env),
    "ActionHero's three round trips": await session.contender('cache-three-trips.js', env),
    'bentocache on Redis alone': await session.contender('cache-bentocache-redis.js', env),
    'cacheable on Redis alone': await session.contender('cache-cacheable.js', env),
  }
  for (const callers of [1, 64, 256]) {
    for (const [name, peer] of Object.entries(peers)) {
      // ActionHero has no get; a load is what it has.
      const hasGet = name !== "ActionHero's three round trips"
      const verbs = [
        hasGet ? ['get', 'get'] : ['load', 'load'],
        ...(name === 'ioredis, by hand' ? [['load', 'get']] : []),
        ['save', 'save'],
      ]
      for (const [verb, theirs] of verbs) {
        await session.duel({
          name: `${verb}, ${bytes} B, against ${name}, ${shown(callers)}`,
          unit: 'operations/s',
          target: bytes === 200 ? targets[name][verb === 'save' ? 'save' : 'get'][callers] : targetOfLargeValues,
          ours: () => ours.rate(verb, { callers, ms: MS }),
          peer: () => peer.rate(theirs, { callers, ms: MS }),
        })
      }
    }
  }
}

async function fromMemory(session, url) {
  const env = { BENCH_REDIS: url }
  const local = await session.contender('cache-local.js', env)
  const bentocache = await session.contender('cache-bentocache.js', env)
  const lru = await session.contender('cache-lru.js', env)
  const duel = (name, target, callers, peer) =>
    session.duel({
      name: `get from memory, ${name}, ${shown(callers)}`,
      unit: 'operations/s',
      target,
      ours: () => local.rate('get', { callers, ms: MS }),
      peer: () => peer.rate('get', { callers, ms: MS }),
    })
  for (const callers of [1, 64]) {
    await duel('against bentocache (memory, Redis, bus)', 10, callers, bentocache)
    await duel('against `await` around lru-cache', 0.5, callers, lru)
  }
}

function shown(callers) {
  return callers === 1 ? '1 caller' : `${callers} callers`
}
