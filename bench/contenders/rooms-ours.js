// Contender: app.rooms as a user has it, with plain websockets as members.
import Fastify from 'fastify'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhRooms from 'fastify-ah-rooms'
import WebSocket from 'ws'
import { crowd } from './rooms-crowd.js'

await crowd(
  import.meta.filename,
  async () => {
    const redis = process.env.BENCH_REDIS
    const app = Fastify({ forceCloseConnections: true })
    await app.register(fastifyAhPubsub, { redis })
    await app.register(fastifyAhRooms, { redis, startingRooms: ['lobby'], allowMissingOrigin: true })
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
  (url, hear) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url)
      let isIn = false
      socket.on('open', () => socket.send(JSON.stringify({ event: 'roomAdd', room: 'lobby', messageId: 1 })))
      socket.on('message', (data) => {
        const { context, error } = JSON.parse(String(data))
        if (isIn) hear()
        else if (error) reject(new Error(error))
        else if (context === 'response') {
          isIn = true
          resolve()
        }
      })
    }),
)
