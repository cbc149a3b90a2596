// Takes a lock, says so, and does with it what it is told. Arguments: the URL of Redis, key and ms of the lock.
import process from 'node:process'
import fastify from 'fastify'
import { fastifyAhCache } from 'fastify-ah-cache'

const [redis = '', key = '', ms] = process.argv.slice(2)
const app = fastify()
await app.register(fastifyAhCache, { redis })
await app.ready()
process.on('message', async (wanted) => {
  if (wanted === 'unlock') process.send?.({ unlocked: await app.cache.unlock(key) })
  if (wanted === 'check') process.send?.({ mayWrite: await app.cache.checkLock(key) })
})
process.send?.({ locked: await app.cache.lock(key, Number(ms)) })
