// The Fastify plugin: checks its options, connects, decorates. This entry leaves Fastify's types alone, for those who
// rename the decorator.
import type { FastifyInstance } from 'fastify'
import { lifecycleOf, oncePerApp } from 'fastify-ah-kit'
import { redisFor } from 'fastify-ah-kit/redis'
import fp from 'fastify-plugin'
import { AH_STATS_OPTIONS } from './errors.ts'
import { StatsKeys } from './keys.ts'
import { options, type StatsOptions } from './options.ts'
import { Stats } from './stats.ts'
import { Writer } from './writer.ts'

export type { Stats } from './stats.ts'

/** All stats of an app by decorator, under `Symbol.for('fastify-ah.stats')` on its root: how other plugins find them. */
export type StatsRegistry = ReadonlyMap<string, Stats>

// A command has its answer, or its error, within 5 s.
const drainMs = 6_000

async function plugin(app: FastifyInstance, input: StatsOptions): Promise<void> {
  const { redis, embedded, prefix, decorator, ...given } = options.parse(input)
  const registry = oncePerApp(app, 'stats', () => new Map<string, Stats>())
  if (app.hasDecorator(decorator) || registry.has(decorator)) {
    throw new AH_STATS_OPTIONS(
      `fastify-ah-stats: option "decorator": "${decorator}" is taken in this app already; give these stats another name`,
    )
  }
  const connection = await redisFor(app, { owner: 'stats', redis, embedded })
  const writing = { ...given, connection, keys: new StatsKeys(prefix), log: app.log }
  const writer = new Writer(writing)
  const stats = new Stats(writer, writing)
  lifecycleOf(app).onDrain('stats', () => writer.write(), drainMs)
  // After the server has closed: what the last requests counted.
  app.addHook('onClose', () => writer.close())
  writer.start()
  registry.set(decorator, stats)
  app.decorate(decorator, { getter: () => stats })
}

/** The plugin; see the README for its options. */
export const fastifyAhStats = fp(plugin, { name: 'fastify-ah-stats', fastify: '5.x' })
export default fastifyAhStats
// For require(), which then returns the plugin.
export { fastifyAhStats as 'module.exports' }
