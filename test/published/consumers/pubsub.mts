// A consumer of fastify-ah-pubsub: what its types promise, and what they refuse.
import Fastify from 'fastify'
import fastifyAhPubsubDefault, {
  type ChannelSubscription,
  fastifyAhPubsub,
  type NodeInfo,
  type PubSubOptions,
} from 'fastify-ah-pubsub'
import plugin from 'fastify-ah-pubsub/plugin'

declare module 'fastify-ah-pubsub' {
  interface AhChannels {
    '/orders': { readonly id: number }
  }
}

const options: PubSubOptions = { leaseMs: 5_000, prefix: 'mine:' }
const app = Fastify()
await app.register(fastifyAhPubsubDefault)
await app.register(fastifyAhPubsub, options)
await app.register(plugin, { decorator: 'second' })
// @ts-expect-error: there is no such option
await app.register(fastifyAhPubsub, { leaseSeconds: 5 })

const subscription: ChannelSubscription = await app.pubsub.subscribe('/orders', ({ id }) => id.toFixed())
await app.pubsub.publish('/orders', { id: 7 })
// @ts-expect-error: an order has a number
await app.pubsub.publish('/orders', { id: '7' })
await app.pubsub.publish('/anything', ['else'])
const sum: number = await app.pubsub.call<number>('add', [1, 2])
const nodes: readonly NodeInfo[] = await app.pubsub.nodes()

export { nodes, subscription, sum }
