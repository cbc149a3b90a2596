// Owns a way to a server that, when told, takes connections and leaves each of them without a word for ever.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { atEnd, type TestScope } from 'fastify-ah-test-support'

export interface MutePeer {
  readonly host: string
  readonly port: number
  /** Connections that were left without a word so far. */
  readonly muted: number
  /** Ends what is open; what comes from now on is taken and left alone. */
  beMute(): void
  /** What comes from now on passes; what was left alone stays so. */
  speak(): void
}

export async function startMutePeer(target: { host: string; port: number }, scope: TestScope): Promise<MutePeer> {
  const open = new Set<Socket>()
  let isMute = false
  let muted = 0
  const server = createServer((client) => {
    open.add(client)
    client.on('error', () => client.destroy())
    client.on('close', () => open.delete(client))
    if (isMute) {
      muted += 1
      return
    }
    const upstream = connect(target.port, target.host)
    upstream.on('error', () => client.destroy())
    upstream.on('close', () => client.destroy())
    client.on('close', () => upstream.destroy())
    client.pipe(upstream).pipe(client)
  })
  server.listen(0, target.host)
  await once(server, 'listening')
  const endAll = () => {
    for (const socket of open) socket.destroy()
  }
  atEnd(scope, () => {
    endAll()
    server.close()
  })
  return {
    host: target.host,
    port: (server.address() as { port: number }).port,
    get muted() {
      return muted
    },
    beMute() {
      isMute = true
      endAll()
    },
    speak() {
      isMute = false
    },
  }
}
