// Owns an app with every plugin that speaks to Redis, and one call of each of them.
import { randomInt } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import fastifyAhCache from 'fastify-ah-cache'
import fastifyAhFaye from 'fastify-ah-faye'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhRooms from 'fastify-ah-rooms'
import fastifyAhStats from 'fastify-ah-stats'
import fastifyAhTasks from 'fastify-ah-tasks'

/** Registers all of them on one Redis, with short times. */
export async function registerEverything(app: FastifyInstance, redis: string, serverToken: string): Promise<void> {
  await app.register(fastifyAhCache, { redis })
  await app.register(fastifyAhStats, { redis, writeMs: 20 })
  await app.register(fastifyAhPubsub, { redis, serverToken, probeMs: 200, callTimeoutMs: 2_000 })
  await app.register(fastifyAhTasks, { redis, pollMs: 100, leaseMs: 2_000 })
  await app.register(fastifyAhRooms, { redis, startingRooms: ['lobby'], allowMissingOrigin: true })
  await app.register(fastifyAhFaye, { redis, serverToken, allowServerToken: true })
  app.tasks.define({ name: 'add', run: ({ a, b }: { a: number; b: number }) => a + b })
  app.pubsub.handle('double', (n: number) => n * 2)
}

/** A call of each plugin's main things, by name. */
export function callsOf(app: FastifyInstance): Record<string, () => Promise<unknown>> {
  return {
    'cache.save': () => app.cache.save('key', { a: 1 }, 60_000),
    'cache.get': () => app.cache.get('key'),
    'cache.load': () => app.cache.load('key'),
    'cache.getOrSet': () => app.cache.getOrSet('made', { expireMs: 50, tags: ['tag'] }, async () => 1),
    'cache.increment': () => app.cache.increment('counter'),
    'cache.push': () => app.cache.push('list', 1),
    'cache.pop': () => app.cache.pop('list'),
    'cache.lock': () => app.cache.lock('key'),
    'cache.unlock': () => app.cache.unlock('key'),
    'cache.keys': () => app.cache.keys(),
    'cache.invalidateTags': () => app.cache.invalidateTags(['tag']),
    'stats.increment': async () => app.stats.increment('visits'),
    'stats.getAll': () => app.stats.getAll(),
    'pubsub.publish': () => app.pubsub.publish('/talk', { a: 1 }),
    'pubsub.call': () => app.pubsub.call('double', 21),
    'pubsub.nodes': () => app.pubsub.nodes(),
    'tasks.enqueue': () => app.tasks.enqueue('add', { a: 1, b: 2 }, { track: true }),
    // A job like one that is planned already is refused, as in Resque.
    'tasks.enqueueIn': () => app.tasks.enqueueIn(20, 'add', { a: 1, b: randomInt(2 ** 40) }),
    'tasks.details': () => app.tasks.details(),
    'tasks.failed': () => app.tasks.failed(0, 10),
    'tasks.allDelayed': () => app.tasks.allDelayed(),
    'rooms.add': () => app.rooms.add('more'),
    'rooms.list': () => app.rooms.list(),
    'rooms.roomStatus': () => app.rooms.roomStatus('lobby'),
    'rooms.broadcast': () => app.rooms.broadcast(null, 'lobby', 'hello'),
    'rooms.destroy': () => app.rooms.destroy('more'),
  }
}
