// Counts without end, and tells how often; ends by itself when it is told to close. Argument: the URL of Redis.
import process from 'node:process'
import fastify from 'fastify'
import { fastifyAhStats } from 'fastify-ah-stats'

const [redis = ''] = process.argv.slice(2)
const app = fastify()
await app.register(fastifyAhStats, { redis, writeMs: 2 })
await app.ready()
let counted = 0
const timer = setInterval(() => {
  for (let count = 0; count < 10; count += 1) app.stats.increment(`${process.pid}`)
  counted += 10
  process.send?.({ counted })
}, 1)
process.once('message', async () => {
  clearInterval(timer)
  await app.close()
  process.send?.({ closed: counted })
  process.disconnect()
})
