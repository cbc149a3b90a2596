// The Fastify plugin: checks its options, finds pub/sub, connects. It decorates nothing.
import type { FastifyInstance } from 'fastify'
import { foundInApp, lifecycleOf } from 'fastify-ah-kit'
import { KeySpace, redisFor } from 'fastify-ah-kit/redis'
import type { PubSubRegistry } from 'fastify-ah-pubsub'
import fp from 'fastify-plugin'
import { AH_FAYE_PUBSUB } from './errors.ts'
import { Faye } from './faye.ts'
import { FayeKeys } from './keys.ts'
import { type FayeOptions, options } from './options.ts'
import { serverTokensFor } from './server-tokens.ts'

// Answers that are under way, a websocket's goodbye, and the clients' way to another process.
const drainMs = 10_000

async function plugin(app: FastifyInstance, input: FayeOptions): Promise<void> {
  const { redis, serverToken, authorize = {}, ...settings } = options.parse(input)
  const { pubsub: name, embedded, prefix, allowServerToken, path } = settings
  const tokens = serverTokensFor(allowServerToken, serverToken)
  const pubsub = foundInApp<PubSubRegistry>(app, 'pubsub')?.get(name)
  if (pubsub === undefined) {
    throw new AH_FAYE_PUBSUB(
      `fastify-ah-faye: there is no fastify-ah-pubsub called "${name}" in this app: register it before, or say its name in the option "pubsub"`,
    )
  }
  const connection = await redisFor(app, { owner: 'faye', redis, embedded })
  const keys = new FayeKeys(new KeySpace({ prefix, isTagged: connection.isCluster }))
  const faye = new Faye({ app, connection, keys, pubsub, tokens, settings, authorize })
  lifecycleOf(app).onDrain(`faye ${path}`, () => faye.drain(), drainMs)
  app.addHook('onClose', () => faye.close())
  await faye.start()
}

/** The plugin; see the README for its options. */
export const fastifyAhFaye = fp(plugin, { name: 'fastify-ah-faye', fastify: '5.x' })
export default fastifyAhFaye
// For require(), which then returns the plugin.
export { fastifyAhFaye as 'module.exports' }
