// Contender: what one writes by hand on ws, in one process and without Redis: one text for all, a send for each.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { crowd } from './rooms-crowd.js'

await crowd(import.meta.filename, {
  openServer: async () => {
    const server = createServer()
    const sockets = new WebSocketServer({ server, perMessageDeflate: false })
    const room = new Set()
    sockets.on('connection', (socket) => {
      socket.on('message', () => {
        room.add(socket)
        socket.send('joined')
      })
      socket.on('close', () => room.delete(socket))
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
      url: `ws://127.0.0.1:${server.address().port}`,
      say: (message) => {
        const text = JSON.stringify({ room: 'lobby', message })
        for (const socket of room) socket.send(text)
      },
      close: async () => {
        for (const socket of sockets.clients) socket.terminate()
        server.close()
      },
    }
  },
  join: () => (text, send) => {
    if (text === undefined) send('join')
    return text === 'joined'
  },
  connect: () => () => true,
})
