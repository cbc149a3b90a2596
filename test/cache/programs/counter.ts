// Counts in many ways without end, until it is killed; tells how far it is sure to have come. Argument: the URL of Redis.
import process from 'node:process'
import fastify from 'fastify'
import { fastifyAhCache } from 'fastify-ah-cache'

const [redis = ''] = process.argv.slice(2)
const app = fastify()
await app.register(fastifyAhCache, { redis, owner: `counter ${process.pid}` })
await app.ready()
const minutes = { expireMs: 600_000 }
process.send?.('ready')
for (let round = 1; ; round += 1) {
  await Promise.all([
    app.cache.increment(`mine ${process.pid}`, 1, minutes),
    app.cache.increment('shared', 1, minutes),
    app.cache.increment(`fresh ${process.pid} ${round}`, 1, minutes),
    app.cache.save(`tagged ${process.pid} ${round % 5}`, round, { ...minutes, tags: ['all'] }),
    app.cache.getOrSet(`produced ${process.pid} ${round}`, { ...minutes, staleMs: 600_000 }, () => round),
    app.cache.withLock(`run ${process.pid} ${round}`, { ms: 600_000 }, () => round),
  ])
  process.send?.(round)
}
