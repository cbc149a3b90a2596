// The Fastify plugin: checks its options, connects, decorates. This entry leaves Fastify's types alone, for those who
// rename the decorator.
import type { FastifyInstance } from 'fastify'
import { identity, lifecycleOf, oncePerApp, toError } from 'fastify-ah-kit'
import { KeySpace, redisFor } from 'fastify-ah-kit/redis'
import fp from 'fastify-plugin'
import { Engine } from './engine.ts'
import { AH_PUBSUB_OPTIONS } from './errors.ts'
import { PubSubKeys } from './keys.ts'
import { options, type PubSubOptions } from './options.ts'
import { PubSub } from './pubsub.ts'
import { serverTokens } from './server-token.ts'

export type { PubSub } from './pubsub.ts'

/** All of an app by decorator, under `Symbol.for('fastify-ah.pubsub')` on its root: how other plugins find them. */
export type PubSubRegistry = ReadonlyMap<string, PubSub>

// How long handlers of calls may go on when the app ends.
const drainMs = 5_000

async function plugin(app: FastifyInstance, input: PubSubOptions): Promise<void> {
  const { redis, embedded, prefix, decorator, serverToken, ...settings } = options.parse(input)
  const tokens = serverTokens(serverToken)
  const registry = oncePerApp(app, 'pubsub', () => new Map<string, PubSub>())
  if (app.hasDecorator(decorator) || registry.has(decorator)) {
    throw new AH_PUBSUB_OPTIONS(
      `fastify-ah-pubsub: option "decorator": "${decorator}" is taken in this app already; give this one another name`,
    )
  }
  const connection = await redisFor(app, { owner: 'pubsub', redis, embedded })
  const keys = new PubSubKeys(new KeySpace({ prefix, isTagged: connection.isCluster }))
  const engine = new Engine({ connection, keys, log: app.log, identity: identity(), tokens, settings })
  app.addHook('onClose', () => engine.close())
  watch(app, engine, decorator)
  await engine.start()
  // Behind the app's own handlers: who is on the list can be called.
  app.addHook('onReady', () => engine.nodes.register())
  const pubsub = new PubSub(engine)
  registry.set(decorator, pubsub)
  app.decorate(decorator, { getter: () => pubsub })
}

function watch(app: FastifyInstance, engine: Engine, decorator: string): void {
  const lifecycle = lifecycleOf(app)
  const forgetCheck = lifecycle.addReadinessCheck(decorator, () => engine.health())
  const forgetDeaths = lifecycle.onPeerDeath(({ bootId }) => {
    // Its lease ends by itself.
    engine.nodes.drop(bootId).catch((thrown: unknown) => {
      app.log.warn({ err: toError(thrown), bootId }, 'a node that died could not be taken off the list')
    })
  })
  lifecycle.onDrain(decorator, () => engine.drain(), drainMs)
  app.addHook('onClose', async () => {
    forgetCheck()
    forgetDeaths()
  })
}

/** The plugin; see the README for its options. */
export const fastifyAhPubsub = fp(plugin, { name: 'fastify-ah-pubsub', fastify: '5.x' })
export default fastifyAhPubsub
// For require(), which then returns the plugin.
export { fastifyAhPubsub as 'module.exports' }
