// Contender: what one writes by hand on ws, in one process and without Redis: one text for all, a send for each.
import { createServer } from 'node:http'
import WebSocket, { WebSocketServer } from 'ws'
import { crowd } from './rooms-crowd.js'

await crowd(
  import.meta.filename,
  async () => {
    const server = createServer()
    const sockets = new WebSocketServer({ server, perMessageDeflate: false })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
      url: `ws://127.0.0.1:${server.address().port}`,
      say: (message) => {
        const text = JSON.stringify({ room: 'lobby', message })
        for (const client of sockets.clients) client.send(text)
      },
      close: async () => {
        for (const client of sockets.clients) client.terminate()
        server.close()
      },
    }
  },
  (url, hear) =>
    new Promise((resolve) => {
      const socket = new WebSocket(url)
      socket.once('open', resolve)
      socket.on('message', (data) => {
        JSON.parse(String(data))
        hear()
      })
    }),
)
