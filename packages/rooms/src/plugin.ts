// The Fastify plugin: checks its options, finds pub/sub, connects, decorates. This entry leaves Fastify's types alone, for
// those who rename the decorator.
import type { FastifyInstance } from 'fastify'
import { environment, foundInApp, lifecycleOf, oncePerApp, toError } from 'fastify-ah-kit'
import { KeySpace, redisFor } from 'fastify-ah-kit/redis'
import type { PubSubRegistry } from 'fastify-ah-pubsub'
import fp from 'fastify-plugin'
import { serveClient } from './client-files.ts'
import { Engine } from './engine.ts'
import { AH_ROOMS_OPTIONS, AH_ROOMS_PUBSUB } from './errors.ts'
import { RoomKeys } from './keys.ts'
import { options, type ParsedRoomsOptions, type RoomsOptions } from './options.ts'
import { roomName } from './room-name.ts'
import { Rooms } from './rooms.ts'

export type { Rooms } from './rooms.ts'

/** All of an app by decorator, under `Symbol.for('fastify-ah.rooms')` on its root: how other plugins find them. */
export type RoomsRegistry = ReadonlyMap<string, Rooms>

// Answers that are under way, and goodbyes, beside the window over which these are spread.
const goodbyeMs = 2_500

async function plugin(app: FastifyInstance, input: RoomsOptions): Promise<void> {
  const settings = options.parse(input)
  const { redis, embedded, prefix, decorator, pubsub: name, drainMs } = settings
  const { isProduction } = environment()
  checkAccess(settings, isProduction)
  for (const room of settings.startingRooms) roomName(room)
  const registry = oncePerApp(app, 'rooms', () => new Map<string, Rooms>())
  if (app.hasDecorator(decorator) || registry.has(decorator)) {
    throw new AH_ROOMS_OPTIONS(
      `fastify-ah-rooms: option "decorator": "${decorator}" is taken in this app already; give this one another name`,
    )
  }
  const pubsub = foundInApp<PubSubRegistry>(app, 'pubsub')?.get(name)
  if (pubsub === undefined) {
    throw new AH_ROOMS_PUBSUB(
      `fastify-ah-rooms: there is no fastify-ah-pubsub called "${name}" in this app: register it before, or say its name in the option "pubsub"`,
    )
  }
  const connection = await redisFor(app, { owner: 'rooms', redis, embedded })
  const keys = new RoomKeys(new KeySpace({ prefix, isTagged: connection.isCluster }), connection.isCluster)
  const engine = new Engine({ app, connection, keys, pubsub, settings })
  app.addHook('onClose', () => engine.close())
  app.addHook('onRoute', function (route) {
    engine.actions.note(route)
    engine.actions.filterLog(route, this.childLoggerFactory)
  })
  const lifecycle = lifecycleOf(app)
  lifecycle.onDrain(decorator, () => engine.drain(), drainMs + goodbyeMs)
  const forgetDeaths = lifecycle.onPeerDeath(({ bootId }) => {
    // Its lease ends by itself.
    engine.presence.bury(bootId).catch((thrown: unknown) => {
      app.log.warn({ err: toError(thrown), bootId }, 'the members of a process that died stay until its lease ends')
    })
  })
  app.addHook('onClose', async () => forgetDeaths())
  await engine.start()
  await app.register(async (scope) => serveClient(scope, settings.path))
  app.addHook('onReady', async () => {
    if (app.hasDecorator('websocketServer')) {
      throw new AH_ROOMS_OPTIONS(
        'fastify-ah-rooms: @fastify/websocket takes all upgrades of this server, without a limit or a look at their origin: serve the rooms by another app',
      )
    }
    const isOpenToAll = settings.authorize?.join === undefined && !engine.middlewares.has('join')
    if (isProduction && isOpenToAll) {
      app.log.warn('everybody who may connect may join every room: give authorize.join, or a middleware with join')
    }
    engine.sockets.open()
  })
  const rooms = new Rooms(engine)
  registry.set(decorator, rooms)
  app.decorate(decorator, { getter: () => rooms })
}

function checkAccess({ origins, allowMissingOrigin, authorize }: ParsedRoomsOptions, isProduction: boolean): void {
  if (!isProduction) return
  if (origins === undefined) {
    throw new AH_ROOMS_OPTIONS(
      'fastify-ah-rooms: option "origins": in production the origins of your pages have to be listed, as in ["https://shop.example"]',
    )
  }
  if (allowMissingOrigin && authorize?.connect === undefined) {
    throw new AH_ROOMS_OPTIONS(
      'fastify-ah-rooms: option "allowMissingOrigin": in production it needs "authorize.connect", or every program may connect',
    )
  }
}

/** The plugin; see the README for its options. */
export const fastifyAhRooms = fp(plugin, { name: 'fastify-ah-rooms', fastify: '5.x' })
export default fastifyAhRooms
// For require(), which then returns the plugin.
export { fastifyAhRooms as 'module.exports' }
