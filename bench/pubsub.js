// Pub/sub between two processes against what one writes by hand on ioredis, against mqemitter-redis and against faye:
// bursts of 500 messages of 200 bytes, and lone messages.
import { freePort, startRedis } from 'fastify-ah-test-support'

/** Of each measurement. */
const MS = 500
/** Bursts that are under way at once. */
const CALLERS = 4

/** Peer → target in bursts, and of the delay of a lone message (1 / 1.2 of ioredis', as a ratio where more is better). */
const targets = {
  'ioredis, by hand': { burst: 2, lone: 1 / 1.2 },
  'ioredis with auto-pipelining, by hand': { burst: 2, lone: 1 / 1.2 },
  'mqemitter-redis': { burst: 2, lone: 1 / 1.2 },
  faye: { burst: 10, lone: 1 / 1.2 },
}

export default async function pubsub(session) {
  const redis = await startRedis({}, session)
  const env = { BENCH_REDIS: redis.url, BENCH_FAYE_PORT: String(await freePort()) }
  const ours = await session.contender('pubsub-ours.js', env)
  const peers = {
    'ioredis, by hand': await session.contender('pubsub-ioredis.js', env),
    'ioredis with auto-pipelining, by hand': await session.contender('pubsub-ioredis.js', {
      ...env,
      BENCH_AUTO_PIPELINING: '1',
    }),
    'mqemitter-redis': await session.contender('pubsub-mqemitter.js', env),
    faye: await session.contender('pubsub-faye.js', env),
  }
  for (const [name, peer] of Object.entries(peers)) {
    const { burst, lone } = targets[name]
    await session.duel({
      name: `burst, against ${name}`,
      unit: 'bursts of 500 messages/s',
      target: burst,
      ours: () => ours.rate('burst', { callers: CALLERS, ms: MS }),
      peer: () => peer.rate('burst', { callers: CALLERS, ms: MS }),
    })
    await session.duel({
      name: `a lone message, against ${name}`,
      unit: 'µs (median)',
      better: 'less',
      target: lone,
      ours: () => ours.measure('lone', MS),
      peer: () => peer.measure('lone', MS),
    })
  }
}
