// Contender: app.pubsub as a user has it.
import Fastify from 'fastify'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import { pair } from './pubsub-pair.js'

async function open() {
  const app = Fastify()
  await app.register(fastifyAhPubsub, { redis: process.env.BENCH_REDIS })
  await app.ready()
  return app
}

await pair(
  import.meta.filename,
  async () => {
    const app = await open()
    return { publish: (message) => app.pubsub.publish('/orders', message), close: () => app.close() }
  },
  async (hear) => {
    const app = await open()
    await app.pubsub.subscribe('/orders', hear)
    return { close: () => app.close() }
  },
)
