// Owns a server that knows no flags of scripts, as Redis before 7: one of today behind a way that spoils the line with them.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { atEnd, type TestScope } from 'fastify-ah-test-support'

/** Starts it; answers its address as ioredis options. */
export async function startOldServer(target: { host: string; port: number }, scope: TestScope) {
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => open.delete(socket))
    }
    // As long as before, and taken for Lua: "unexpected symbol near '#'".
    client.on('data', (chunk) => {
      upstream.write(Buffer.from(chunk.toString('latin1').replaceAll('#!lua', '#?lua'), 'latin1'))
    })
    client.on('end', () => upstream.end())
    upstream.pipe(client)
  })
  server.listen(0, target.host)
  await once(server, 'listening')
  atEnd(scope, () => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { host: target.host, port: (server.address() as { port: number }).port }
}
