// What we need of pub/sub.
import type { PubSub } from 'fastify-ah-pubsub'

/** The facade of `fastify-ah-pubsub`, as far as clients need it. */
export type Bus = Pick<PubSub, 'call' | 'handle' | 'internal' | 'nodes' | 'publish' | 'subscribe'>
