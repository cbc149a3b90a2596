// Servers behind a proxy, for the tests of the proxy.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type RedisServer, startProxy, startRedis, type TcpProxy } from './index.ts'

/** A Redis on TCP and on a unix socket. */
export async function redisBehindProxy(t: TestContext): Promise<{ redis: RedisServer; proxy: TcpProxy }> {
  const redis = await startRedis({ unixSocket: true }, t)
  return { redis, proxy: await startProxy({ target: redis }, t) }
}

/** A plain server that answers each connection by `serve`. */
export async function serverBehindProxy(t: TestContext, serve: (socket: Socket) => void): Promise<TcpProxy> {
  const server = createServer({ allowHalfOpen: true }, serve).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  return startProxy({ target: { host: '127.0.0.1', port } }, t)
}
