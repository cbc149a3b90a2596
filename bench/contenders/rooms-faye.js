// Contender: faye, in one process and without Redis.
import { once } from 'node:events'
import { createServer } from 'node:http'
import faye from 'faye'
import { crowd } from './rooms-crowd.js'

await crowd(import.meta.filename, {
  openServer: async () => {
    const bayeux = new faye.NodeAdapter({ mount: '/faye', timeout: 3_600 })
    const server = createServer()
    bayeux.attach(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      url: `ws://127.0.0.1:${server.address().port}/faye`,
      say: (message) => bayeux.getClient().publish('/lobby', message),
      close: async () => {
        server.close()
        server.closeAllConnections()
      },
    }
  },
  join: () => talk(true),
  connect: () => talk(false),
})

/** The last question is answered when there is something to hear, or never. */
function talk(isToJoin) {
  return (text, send) => {
    const say = (...messages) => send(JSON.stringify(messages))
    if (text === undefined) {
      say({ channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['websocket'] })
      return false
    }
    const [{ channel, clientId, successful }] = JSON.parse(text)
    if (!successful) throw new Error(text)
    if (isToJoin && channel === '/meta/handshake') {
      say({ channel: '/meta/subscribe', clientId, subscription: '/lobby' })
      return false
    }
    say({ channel: '/meta/connect', clientId, connectionType: 'websocket' })
    return true
  }
}
