// The package's exports, and what it adds to Fastify's types.
import type { PubSub } from './pubsub.ts'

export {
  AH_PUBSUB_CALL_FAILED,
  AH_PUBSUB_CALL_TIMEOUT,
  AH_PUBSUB_CHANNEL,
  AH_PUBSUB_CLOSED,
  AH_PUBSUB_CLOSED_CHANNEL,
  AH_PUBSUB_DATA,
  AH_PUBSUB_HANDLER_TAKEN,
  AH_PUBSUB_INVALID,
  AH_PUBSUB_NO_HANDLER,
  AH_PUBSUB_NODE_GONE,
  AH_PUBSUB_NOT_ALLOWED,
  AH_PUBSUB_NOT_SUBSCRIBED,
  AH_PUBSUB_OPTIONS,
  AH_PUBSUB_SCHEMA,
  AH_PUBSUB_TOKEN,
  AH_PUBSUB_TOO_LARGE,
} from './errors.ts'
export { options, type ParsedPubSubOptions, type PubSubOptions } from './options.ts'
export { default, fastifyAhPubsub, fastifyAhPubsub as 'module.exports', type PubSubRegistry } from './plugin.ts'
export type { PubSub } from './pubsub.ts'
export type { CallTrace, DeliverTrace, HandleTrace, PublishTrace } from './traces.ts'
export type {
  AhChannels,
  CallAllOptions,
  CallHandler,
  CallInfo,
  CallOptions,
  Channel,
  ChannelData,
  ChannelOptions,
  ChannelSubscription,
  DropReason,
  Gap,
  GapReason,
  HandleOptions,
  InternalChannels,
  MessageHandler,
  MessageInfo,
  NodeAnswer,
  NodeInfo,
  PubSubEvents,
  PubSubStats,
  RawListener,
  RawSubscription,
  RawSubscriptions,
} from './types.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Publish and subscribe, calls and nodes of `fastify-ah-pubsub`. */
    pubsub: PubSub
  }
}
