// Contender: faye, its server in the process that hears, a client over a websocket in the one that publishes.
import { once } from 'node:events'
import { createServer } from 'node:http'
import faye from 'faye'
import { pair } from './pubsub-pair.js'

const port = Number(process.env.BENCH_FAYE_PORT)

await pair(
  import.meta.filename,
  async () => {
    const client = new faye.Client(`http://127.0.0.1:${port}/faye`)
    return { publish: (message) => client.publish('/orders', message), close: async () => client.disconnect() }
  },
  async (hear) => {
    const bayeux = new faye.NodeAdapter({ mount: '/faye', timeout: 45 })
    const server = createServer()
    bayeux.attach(server)
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    await bayeux.getClient().subscribe('/orders', hear)
    return {
      close: async () => {
        server.close()
        server.closeAllConnections()
      },
    }
  },
)
