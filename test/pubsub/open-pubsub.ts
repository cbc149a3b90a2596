// Owns apps with pub/sub, as the tests open them.
import fastify, { type FastifyInstance } from 'fastify'
import { fastifyAhPubsub, type PubSub, type PubSubOptions } from 'fastify-ah-pubsub'
import { atEnd, type TestScope } from 'fastify-ah-test-support'

/** A ready app with the plugin, closed at the end of the test. Without a log, unless one is given. */
export async function openApp(
  options: PubSubOptions,
  scope: TestScope,
  before: (app: FastifyInstance) => unknown = () => undefined,
): Promise<FastifyInstance> {
  const app = fastify()
  atEnd(scope, () => app.close())
  await app.register(fastifyAhPubsub, options)
  await before(app)
  await app.ready()
  return app
}

/** The pub/sub of such an app. */
export async function openPubSub(options: PubSubOptions, scope: TestScope): Promise<PubSub> {
  return (await openApp(options, scope)).pubsub
}
