// Contender: faye, in one process and without Redis.
import { once } from 'node:events'
import { createServer } from 'node:http'
import faye from 'faye'
import { crowd } from './rooms-crowd.js'

await crowd(
  import.meta.filename,
  async () => {
    const bayeux = new faye.NodeAdapter({ mount: '/faye', timeout: 45 })
    const server = createServer()
    bayeux.attach(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      url: `http://127.0.0.1:${server.address().port}/faye`,
      say: (message) => bayeux.getClient().publish('/lobby', message),
      close: async () => {
        server.close()
        server.closeAllConnections()
      },
    }
  },
  (url, hear) => new faye.Client(url).subscribe('/lobby', hear),
)
