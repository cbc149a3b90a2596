// Contender: socket.io with its Redis adapter.
import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import { crowd } from './rooms-crowd.js'

// Engine.io's words: 0 open, 40 connect, 42 an event, 43 its acknowledgement.
await crowd(import.meta.filename, {
  openServer: async () => {
    const server = createServer()
    const clients = [new Redis(process.env.BENCH_REDIS), new Redis(process.env.BENCH_REDIS)]
    const sockets = new Server(server, {
      adapter: createAdapter(...clients),
      transports: ['websocket'],
      pingInterval: 3_600_000,
    })
    sockets.on('connection', (socket) => {
      socket.on('join', async (joined) => {
        await socket.join('lobby')
        joined()
      })
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
      url: `ws://127.0.0.1:${server.address().port}/socket.io/?EIO=4&transport=websocket`,
      say: (message) => sockets.to('lobby').emit('message', message),
      close: async () => {
        await sockets.close()
        for (const client of clients) client.disconnect()
      },
    }
  },
  join: () => (text, send) => {
    if (text?.startsWith('0')) send('40')
    else if (text?.startsWith('40')) send('420["join"]')
    return text?.startsWith('430') ?? false
  },
  connect: () => (text, send) => {
    if (text?.startsWith('0')) send('40')
    return text?.startsWith('40') ?? false
  },
})
