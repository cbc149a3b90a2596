// Saves and locks without end, until it is killed. Argument: the URL of Redis.
import process from 'node:process'
import fastify from 'fastify'
import { fastifyAhCache } from 'fastify-ah-cache'

const [redis = ''] = process.argv.slice(2)
const app = fastify()
await app.register(fastifyAhCache, { redis, owner: `writer ${process.pid}` })
await app.ready()
process.send?.('ready')
for (let round = 0; ; round += 1) {
  const name = `${process.pid} ${round}`
  await Promise.all([
    app.cache.save(name, { round }, 600_000),
    app.cache.save(`again ${round % 3}`, { round }, 600_000),
    app.cache.lock(name, 600_000),
    app.cache.lock(`shared ${round}`, 600_000),
  ])
}
