// A consumer of fastify-ah-faye: what its types promise, and what they refuse.
import Fastify from 'fastify'
import fastifyAhFayeDefault, { type FayeAuthorize, type FayeOptions, fastifyAhFaye } from 'fastify-ah-faye'
import plugin from 'fastify-ah-faye/plugin'
import fastifyAhPubsub from 'fastify-ah-pubsub'

const authorize: FayeAuthorize = {
  handshake: ({ request }) => request.headers.cookie !== undefined,
  subscribe: async ({ channel, clientId }) => channel.startsWith(`/${clientId}/`),
  // @ts-expect-error: an answer is true or false
  publish: ({ data }) => data,
}
const options: FayeOptions = { authorize, origins: ['https://shop.example'], timeoutMs: 20_000 }
const app = Fastify()
await app.register(fastifyAhPubsub)
await app.register(fastifyAhFayeDefault)
await app.register(fastifyAhFaye, options)
await app.register(plugin, { path: '/second' })
// @ts-expect-error: there is no such option
await app.register(fastifyAhFaye, { mount: '/third' })

export { app }
