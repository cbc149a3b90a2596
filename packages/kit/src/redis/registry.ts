// The Redis connections of an app: one for each Redis, whoever asks; closed with the app.
import fastifyRedis from '@fastify/redis'
import type { FastifyInstance } from 'fastify'
import { environment } from '../environment.ts'
import { lifecycleOf } from '../lifecycle.ts'
import { oncePerApp } from '../root.ts'
import { untilReady } from './boot.ts'
import { RedisConnection } from './connection.ts'
import { embeddedTarget } from './embedded.ts'
import { AH_KIT_REDIS_DOWN } from './errors.ts'
import {
  clientTarget,
  isClient,
  isSameTarget,
  type RedisClient,
  type RedisOption,
  resolveTarget,
  type Target,
} from './target.ts'

/** Who wants a connection, and to what. */
export interface ConnectionRequest {
  /** The plugin's short name: `cache`. */
  readonly owner: string
  readonly redis?: RedisOption | undefined
  /** Allows the store in memory in production too. */
  readonly embedded?: boolean | undefined
  /** For tests: how long a command may take, in ms; default 5000. The first request for a Redis decides. */
  readonly deadlineMs?: number | undefined
}

/** A connection and the plugins that use it. */
export interface RegisteredConnection {
  readonly connection: RedisConnection
  readonly owners: ReadonlySet<string>
}

interface Entry extends RegisteredConnection {
  readonly owners: Set<string>
  readonly ready: Promise<void>
}

/** All connections of one app. */
export class RedisRegistry {
  readonly #root: FastifyInstance
  readonly #entries: Entry[] = []
  #opened = 0
  #fallback: Promise<Target> | undefined
  #closeEmbedded: (() => Promise<void>) | undefined
  #isClosed = false

  constructor(root: FastifyInstance) {
    this.#root = root
    root.addHook('onReady', async () => this.#publishFallback())
    root.addHook('onClose', async () => this.close())
  }

  /** What is connected: for health pages and fault tests. */
  get connections(): readonly RegisteredConnection[] {
    return this.#entries
  }

  /**
   * The ready connection for a request; rejects with one clear error if it does not become ready in time. `instance` is
   * the scope that asks: `@fastify/redis` may be registered there alone.
   */
  async connect(request: ConnectionRequest, instance: FastifyInstance = this.#root): Promise<RedisConnection> {
    const target = await this.#targetOf(request, instance)
    if (this.#isClosed) throw new AH_KIT_REDIS_DOWN(`connect for ${request.owner}`)
    const entry = this.#find(target) ?? this.#open(target, request)
    entry.owners.add(request.owner)
    await entry.ready
    return entry.connection
  }

  /** Closes what was opened here; clients that were handed in stay open. Twice is fine. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#entries.map(({ connection }) => connection.close()))
    // Last: it outlives its users.
    await this.#closeEmbedded?.()
  }

  #find(target: Target): Entry | undefined {
    return this.#entries.find(({ connection }) => isSameTarget(connection.target, target))
  }

  #open(target: Target, { deadlineMs }: ConnectionRequest): Entry {
    const { log } = this.#root
    const connection = new RedisConnection({ target, log, ...(deadlineMs === undefined ? {} : { deadlineMs }) })
    // The names of checks are for everybody who may ask for the app's health, so they name no host; reasons do.
    this.#opened += 1
    const name = this.#opened === 1 ? 'redis' : `redis #${this.#opened}`
    const forgetCheck = lifecycleOf(this.#root).addReadinessCheck(name, () => connection.isAnswering())
    const boot = async (): Promise<void> => {
      try {
        await untilReady(connection.client, target.label)
      } catch (error) {
        // A client that goes on connecting would keep the process alive. Other Redis servers have nothing to do with it.
        forgetCheck()
        this.#entries.splice(this.#entries.indexOf(entry), 1)
        await connection.close()
        throw error
      }
    }
    const entry: Entry = { connection, owners: new Set(), ready: boot() }
    this.#entries.push(entry)
    return entry
  }

  async #targetOf({ redis, embedded }: ConnectionRequest, instance: FastifyInstance): Promise<Target> {
    if (redis !== undefined) return resolveTarget(instance, redis)
    const given = decorated(instance)
    if (this.#fallback === undefined && isClient(given)) return clientTarget(given)
    this.#fallback ??= this.#resolveFallback(embedded === true)
    return this.#fallback
  }

  async #resolveFallback(isAskedFor: boolean): Promise<Target> {
    const { redisUrl, isProduction } = environment()
    if (redisUrl !== undefined) return resolveTarget(this.#root, redisUrl, 'REDIS_URL')
    const { target, close } = await embeddedTarget(this.#root.log, isAskedFor || !isProduction)
    this.#closeEmbedded = close
    // Closed while the store was starting: nobody else would end it.
    if (this.#isClosed) await close()
    return target
  }

  /** Users of `app.redis` find the Redis that the plugins chose for want of another. */
  async #publishFallback(): Promise<void> {
    if (this.#fallback === undefined || this.#isClosed) return
    // A fallback that failed was told to the plugin that asked for it; here there is nothing to publish.
    const target = await this.#fallback.catch(() => undefined)
    const entry = target && this.#find(target)
    if (entry === undefined) return
    if (!this.#root.hasDecorator('redis')) {
      await decorate(this.#root, entry.connection.client)
      return
    }
    // Without a client of its own it holds namespaces alone, and nobody could expect the plugins to take one of them.
    if (!isClient(decorated(this.#root))) return
    this.#root.log.warn(
      { owners: [...entry.owners], redis: entry.connection.target.label },
      '@fastify/redis was registered after plugins that therefore use another Redis: register it before them',
    )
  }
}

/** The registry of the app that `instance` belongs to. */
export function redisRegistryOf(instance: FastifyInstance): RedisRegistry {
  return oncePerApp(instance, 'redis', (root) => new RedisRegistry(root))
}

/** The connection for a plugin: found or opened, ready. See {@link ConnectionRequest}. */
export function redisFor(instance: FastifyInstance, request: ConnectionRequest): Promise<RedisConnection> {
  return redisRegistryOf(instance).connect(request, instance)
}

function decorated(instance: FastifyInstance): unknown {
  return (instance as unknown as { redis?: unknown }).redis
}

// Registering is over at onReady, so the plugin's function is called: it decorates, and leaves the closing to us.
function decorate(root: FastifyInstance, client: RedisClient): Promise<void> {
  return new Promise((resolve, reject) => {
    fastifyRedis(root, { client }, (error?: Error) => (error ? reject(error) : resolve()))
  })
}
