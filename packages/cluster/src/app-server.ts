// The app, started: made with the Fastify beside it, loaded, and listening on the handle that it was given.
import { Server } from 'node:net'
import type { FastifyInstance, FastifyPluginAsync, FastifyServerOptions } from 'fastify'
import { foundInApp, oncePerApp } from 'fastify-ah-kit'
import { type AppModule, loadApp, loadFastify } from './app-module.ts'
import { Drain } from './drain.ts'
import { AH_CLUSTER_ADDRESS_IN_USE, AH_CLUSTER_APP_INVALID } from './errors.ts'
import { addHealthRoutes } from './health.ts'
import { adopt, type NativeHandle } from './listening-handle.ts'
import { type DrainTimes, HEALTH_PREFIX } from './options.ts'
import type { WorkerPlace } from './primary-link.ts'
import type { ListenAddress } from './types.ts'

/** What an app is started with. */
export interface AppOrders extends Partial<DrainTimes> {
  readonly app: string
  readonly backlog: number
}

/** What an app listens on. */
export interface AppSocket {
  readonly address: ListenAddress
  readonly handle: NativeHandle
}

/** A started app. */
export interface StartedApp {
  readonly app: FastifyInstance
  readonly drain: Drain
}

/**
 * Loads, boots and listens, or without a socket is just ready; `place` is left on the app for the plugin, in a worker.
 * Throws what the app throws.
 */
export async function startApp(
  orders: AppOrders,
  socket: AppSocket | undefined,
  place?: WorkerPlace,
): Promise<StartedApp> {
  const { drainMs, notReadyMs } = orders
  const { plugin, options } = await loadApp(orders.app)
  const fastify = loadFastify(orders.app)
  const app = fastify({ ...defaultsFor(socket?.address), ...options }) as FastifyInstance
  if (place !== undefined) oncePerApp(app, 'worker', () => place)
  if (place?.orders.isMetered) oncePerApp(app, 'reports', () => place.link.reportLine(place.orders.id))
  const drain = oncePerApp(app, 'drain', () => new Drain(app, definedOf({ drainMs, notReadyMs })))
  // As fastify-cli does: the options go to the plugin too, and skipOverride takes its own scope away.
  const register = options['skipOverride'] === true ? await withoutScope(plugin) : plugin
  app.register(register as FastifyPluginAsync, { ...options })
  app.register(async (root) => {
    if (foundInApp(root, 'cluster') === undefined) addHealthRoutes(root, HEALTH_PREFIX)
  })
  if (socket === undefined) await app.ready()
  else await listen(app, socket, orders.backlog)
  return { app, drain }
}

/**
 * What differs from Fastify's own defaults, all of it before the app's options. Warnings and errors are logged: a
 * server whose failures nobody sees helps nobody. The drain ends connections; a 503 to a request that came in time
 * would break it. On a unix socket the peer is always a proxy of this machine, which has no address to trust by.
 */
function defaultsFor(address: ListenAddress | undefined): FastifyServerOptions {
  return {
    logger: { level: 'warn' },
    return503OnClosing: false,
    ...(address?.kind === 'unix' ? { trustProxy: true } : {}),
  }
}

async function listen(app: FastifyInstance, { address, handle }: AppSocket, backlog: number): Promise<void> {
  const server: unknown = app.server
  if (!(server instanceof Server)) {
    throw new AH_CLUSTER_APP_INVALID(
      'the serverFactory of the app must answer a server of node:http, https, http2 or net',
    )
  }
  await app.ready()
  adopt(server, handle, address, backlog)
  try {
    await app.listen(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port })
  } catch (error) {
    // Two servers may bind a port with SO_REUSEADDR as long as neither listens; the later one hears of it only now.
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    const where = address.kind === 'unix' ? address.path : `port ${address.port} on ${address.host}`
    throw new AH_CLUSTER_ADDRESS_IN_USE(`${where} is already in use by another server`, { cause: error })
  }
}

/** Loaded only when it is asked for: every worker's boot pays for each module. */
async function withoutScope(plugin: AppModule['plugin']): Promise<AppModule['plugin']> {
  const { default: fp } = await import('fastify-plugin')
  return fp(plugin)
}

function definedOf(times: { drainMs: number | undefined; notReadyMs: number | undefined }): Partial<DrainTimes> {
  return Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined))
}
