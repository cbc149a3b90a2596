// An app with the local tier that reads one key when it is told to, and closes. Argument: the URL of Redis.
import process from 'node:process'
import fastify from 'fastify'
import { fastifyAhCache } from 'fastify-ah-cache'

const [redis = ''] = process.argv.slice(2)
const app = fastify()
await app.register(fastifyAhCache, { redis, local: { max: 10 } })
await app.ready()

process.on('message', async (wanted) => {
  if (wanted === 'read') {
    const { hits } = app.cache.local!
    const value = await app.cache.get('k')
    process.send?.({ value, isFromMemory: app.cache.local!.hits > hits })
    return
  }
  await app.close()
  // The channel alone would keep the process alive; nothing else may.
  process.disconnect()
})
process.send?.('ready')
