// Contender: app.rooms as a user has it, over plain websockets.
import Fastify from 'fastify'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhRooms from 'fastify-ah-rooms'
import { crowd } from './rooms-crowd.js'

await crowd(import.meta.filename, {
  openServer: async () => {
    const redis = process.env.BENCH_REDIS
    const app = Fastify({ forceCloseConnections: true })
    await app.register(fastifyAhPubsub, { redis })
    await app.register(fastifyAhRooms, { redis, startingRooms: ['lobby'], pingMs: 3_600_000 })
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    const fail = (error) => {
      throw error
    }
    return {
      url: `${address.replace('http', 'ws')}/ah/ws`,
      say: (message) => app.rooms.broadcast(null, 'lobby', message).catch(fail),
      close: () => app.close(),
    }
  },
  join: () => (text, send) => {
    if (text === undefined) send(JSON.stringify({ event: 'roomAdd', room: 'lobby', messageId: 1 }))
    else if (text.includes('"error"')) throw new Error(text)
    return text?.includes('"response"') ?? false
  },
  connect: () => (text) => text?.includes('"welcome"') ?? false,
})
