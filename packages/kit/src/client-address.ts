// The address of a client as Fastify's `request.ip` has it, for upgrades, of which Fastify makes no request.
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { rootOf } from './root.ts'

/** As much of Fastify's request as `ip` is made of. */
interface Addressed {
  readonly ip?: string
}

/**
 * Answers addresses of clients: with the app's `trustProxy` what proxies say of them, as in a route; '' where there is none,
 * as on a unix socket without `trustProxy`. Fastify has no way to ask for that, so the getter of its own requests is used;
 * a Fastify that keeps it elsewhere is warned of once, and then the addresses are those of the sockets.
 */
export function addressesOf(app: FastifyInstance): (request: IncomingMessage) => string {
  const root = rootOf(app)
  const symbol = Object.getOwnPropertySymbols(root).find(({ description }) => description === 'fastify.Request')
  const kept = root as unknown as Record<symbol, { readonly prototype?: object } | undefined>
  const prototype = symbol === undefined ? undefined : kept[symbol]?.prototype
  if (prototype === undefined || !('ip' in prototype)) {
    app.log.warn('trustProxy has no effect on websockets with this release of Fastify: their addresses are of proxies')
    return ({ socket }) => socket.remoteAddress ?? ''
  }
  return (raw) => (Object.create(prototype, { raw: { value: raw } }) as Addressed).ip ?? ''
}
