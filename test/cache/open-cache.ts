// Owns apps with a cache, as the tests open them.
import fastify, { type FastifyInstance } from 'fastify'
import { type Cache, type CacheOptions, fastifyAhCache } from 'fastify-ah-cache'
import { atEnd, type TestScope } from 'fastify-ah-test-support'

/** A ready app with the plugin, closed at the end of the test. */
export async function openApp(options: CacheOptions, scope: TestScope): Promise<FastifyInstance> {
  const app = fastify()
  atEnd(scope, () => app.close())
  await app.register(fastifyAhCache, options)
  await app.ready()
  return app
}

/** The cache of such an app. */
export async function openCache(options: CacheOptions, scope: TestScope): Promise<Cache> {
  return (await openApp(options, scope)).cache
}
