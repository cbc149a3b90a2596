// Contender: what one writes by hand, a PUBLISH of JSON for each message; with BENCH_AUTO_PIPELINING=1 ioredis gathers the
// commands of a tick.
import { Redis } from 'ioredis'
import { pair } from './pubsub-pair.js'

const options = { enableAutoPipelining: process.env.BENCH_AUTO_PIPELINING === '1' }

await pair(
  import.meta.filename,
  async () => {
    const redis = new Redis(process.env.BENCH_REDIS, options)
    return { publish: (message) => redis.publish('by-hand:orders', JSON.stringify(message)), close: () => redis.quit() }
  },
  async (hear) => {
    const redis = new Redis(process.env.BENCH_REDIS)
    redis.on('message', (_channel, text) => hear(JSON.parse(text)))
    await redis.subscribe('by-hand:orders')
    return { close: () => redis.quit() }
  },
)
