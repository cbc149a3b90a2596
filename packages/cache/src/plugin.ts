// The Fastify plugin: checks its options, connects, decorates. This entry leaves Fastify's types alone, for those who
// rename the decorator.
import type { FastifyInstance } from 'fastify'
import { oncePerApp } from 'fastify-ah-kit'
import { KeySpace, type RedisConnection, redisFor } from 'fastify-ah-kit/redis'
import fp from 'fastify-plugin'
import { Cache } from './cache.ts'
import { AH_CACHE_OPTIONS } from './errors.ts'
import { CacheKeys } from './keys.ts'
import { TrackedTier } from './local/tracked-tier.ts'
import { type CacheOptions, options } from './options.ts'
import { checkOwner, ownerOfNode } from './owner.ts'
import { makeScope } from './scope.ts'

export type { Cache } from './cache.ts'

/** All caches of an app by decorator, under `Symbol.for('fastify-ah.cache')` on its root: how other plugins find them. */
export type CacheRegistry = ReadonlyMap<string, Cache>

async function plugin(app: FastifyInstance, input: CacheOptions): Promise<void> {
  const {
    redis,
    embedded,
    prefix,
    decorator,
    owner = ownerOfNode(),
    lockMs,
    lockRetryMs,
    produceLeaseMs: leaseMs,
    local: wanted,
  } = options.parse(input)
  checkOwner(owner)
  const caches = oncePerApp(app, 'cache', () => new Map<string, Cache>())
  if (app.hasDecorator(decorator) || caches.has(decorator)) {
    throw new AH_CACHE_OPTIONS(
      `fastify-ah-cache: option "decorator": "${decorator}" is taken in this app already; give this cache another name`,
    )
  }
  const connection = await redisFor(app, { owner: 'cache', redis, embedded })
  await warnOfEviction(app, connection)
  const keys = new CacheKeys(new KeySpace({ prefix, isTagged: connection.isCluster }))
  const local = wanted && new TrackedTier({ ...wanted, connection, keys, log: app.log })
  const cache = new Cache(makeScope({ connection, keys, owner, lockMs, lockRetryMs, leaseMs, local }))
  if (local !== undefined) {
    app.addHook('onClose', () => local.close())
    await local.start()
  }
  caches.set(decorator, cache)
  app.decorate(decorator, { getter: () => cache })
}

async function warnOfEviction(app: FastifyInstance, connection: RedisConnection): Promise<void> {
  const policy = await connection.maxmemoryPolicy()
  if (policy === undefined || policy === 'noeviction') return
  app.log.warn(
    { policy },
    'Redis evicts keys when its memory is full, locks too: use the maxmemory-policy noeviction where a lock must hold',
  )
}

/** The plugin; see the README for its options. */
export const fastifyAhCache = fp(plugin, { name: 'fastify-ah-cache', fastify: '5.x' })
export default fastifyAhCache
// For require(), which then returns the plugin.
export { fastifyAhCache as 'module.exports' }
