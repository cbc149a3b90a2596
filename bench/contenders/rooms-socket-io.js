// Contender: socket.io with its Redis adapter.
import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import { crowd } from './rooms-crowd.js'

await crowd(
  import.meta.filename,
  async () => {
    const server = createServer()
    const clients = [new Redis(process.env.BENCH_REDIS), new Redis(process.env.BENCH_REDIS)]
    const sockets = new Server(server, { adapter: createAdapter(...clients), transports: ['websocket'] })
    sockets.on('connection', (socket) => {
      socket.on('join', async (joined) => {
        await socket.join('lobby')
        joined()
      })
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
      url: `http://127.0.0.1:${server.address().port}`,
      say: (message) => sockets.to('lobby').emit('message', message),
      close: async () => {
        await sockets.close()
        for (const client of clients) client.disconnect()
      },
    }
  },
  (url, hear) =>
    new Promise((resolve) => {
      const socket = io(url, { transports: ['websocket'], forceNew: true })
      socket.on('message', hear)
      socket.once('connect', () => socket.emit('join', resolve))
    }),
)
