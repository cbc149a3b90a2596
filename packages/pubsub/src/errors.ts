// The package's coded errors.
import createError from '@fastify/error'
import type { CodedErrorConstructor } from 'fastify-ah-kit'

/** An option of the plugin or of a call is unknown or has a wrong value. */
export const AH_PUBSUB_OPTIONS: CodedErrorConstructor = createError('AH_PUBSUB_OPTIONS', '%s', 500)
/** The server token is missing in production, is too short, or is one that everybody knows. */
export const AH_PUBSUB_TOKEN: CodedErrorConstructor = createError('AH_PUBSUB_TOKEN', '%s', 500)
/** The name is that of no channel, or not of one that may be used here. */
export const AH_PUBSUB_CHANNEL: CodedErrorConstructor = createError('AH_PUBSUB_CHANNEL', '%s', 400)
/** The channel belongs to the servers. */
export const AH_PUBSUB_CLOSED_CHANNEL: CodedErrorConstructor = createError(
  'AH_PUBSUB_CLOSED_CHANNEL',
  'the channel %s belongs to the servers; their own messages go through internal, below /actionhero/app/',
  403,
)
/** The data cannot be sent as JSON and read back as what it is. */
export const AH_PUBSUB_DATA: CodedErrorConstructor = createError('AH_PUBSUB_DATA', '%s', 500)
/** The message, or the answer to a call, is longer than `maxMessageBytes`. */
export const AH_PUBSUB_TOO_LARGE: CodedErrorConstructor = createError(
  'AH_PUBSUB_TOO_LARGE',
  '%s is longer than %d bytes, which is the option "maxMessageBytes"',
  413,
)
/** Data, or the arguments of a call, do not fit the schema. */
export const AH_PUBSUB_INVALID: CodedErrorConstructor = createError('AH_PUBSUB_INVALID', '%s', 400)
/** The JSON schema of a channel or handler is itself wrong. */
export const AH_PUBSUB_SCHEMA: CodedErrorConstructor = createError('AH_PUBSUB_SCHEMA', '%s', 500)
/** This app's pub/sub is closed. */
export const AH_PUBSUB_CLOSED: CodedErrorConstructor = createError('AH_PUBSUB_CLOSED', 'pub/sub is closed', 503)
/** Redis did not confirm the subscription in time. */
export const AH_PUBSUB_NOT_SUBSCRIBED: CodedErrorConstructor = createError(
  'AH_PUBSUB_NOT_SUBSCRIBED',
  'Redis did not confirm the subscription to %s within %d ms',
  503,
)
/** A name has a handler already. */
export const AH_PUBSUB_HANDLER_TAKEN: CodedErrorConstructor = createError(
  'AH_PUBSUB_HANDLER_TAKEN',
  'calls of "%s" are handled in this app already',
  500,
)
/** The node that was asked handles no calls of that name; by `callAll`: none of the nodes does. */
export const AH_PUBSUB_NOT_ALLOWED: CodedErrorConstructor = createError(
  'AH_PUBSUB_NOT_ALLOWED',
  'calls of "%s" are not allowed: %s',
  404,
)
/** No node was named, and no live node handles calls of that name. */
export const AH_PUBSUB_NO_HANDLER: CodedErrorConstructor = createError(
  'AH_PUBSUB_NO_HANDLER',
  'no live node handles calls of "%s"',
  404,
)
/** The node that was asked is not, or no longer, alive. */
export const AH_PUBSUB_NODE_GONE: CodedErrorConstructor = createError(
  'AH_PUBSUB_NODE_GONE',
  'the node %s is not alive, it has not answered the call of "%s"',
  503,
)
/** The node that was asked did not answer in time. */
export const AH_PUBSUB_CALL_TIMEOUT: CodedErrorConstructor = createError(
  'AH_PUBSUB_CALL_TIMEOUT',
  'the node %s did not answer the call of "%s" within %d ms',
  504,
)
/** The handler on the other node failed; where its error has a code, the error that the caller gets has that one. */
export const AH_PUBSUB_CALL_FAILED: CodedErrorConstructor = createError('AH_PUBSUB_CALL_FAILED', '%s', 500)
