// The package's coded errors. Those with a status below 500 are told to clients as they are.
import createError from '@fastify/error'
import type { CodedErrorConstructor } from 'fastify-ah-kit'

/** An option of the plugin or of a call is unknown or has a wrong value, or contradicts another. */
export const AH_ROOMS_OPTIONS: CodedErrorConstructor = createError('AH_ROOMS_OPTIONS', '%s', 500)
/** `fastify-ah-pubsub` is not there under the name that the option says. */
export const AH_ROOMS_PUBSUB: CodedErrorConstructor = createError('AH_ROOMS_PUBSUB', '%s', 500)
/** The name is that of no room. */
export const AH_ROOMS_NAME: CodedErrorConstructor = createError('AH_ROOMS_NAME', '%s', 400)
/** There is no room of that name. */
export const AH_ROOMS_NOT_FOUND: CodedErrorConstructor = createError(
  'AH_ROOMS_NOT_FOUND',
  'room does not exist: %s',
  404,
)
/** There is a room of that name already. */
export const AH_ROOMS_EXISTS: CodedErrorConstructor = createError('AH_ROOMS_EXISTS', 'room exists already: %s', 409)
/** The connection is a member already. */
export const AH_ROOMS_MEMBER: CodedErrorConstructor = createError(
  'AH_ROOMS_MEMBER',
  'connection already in this room: %s',
  409,
)
/** The connection is no member. */
export const AH_ROOMS_NO_MEMBER: CodedErrorConstructor = createError(
  'AH_ROOMS_NO_MEMBER',
  'connection not in this room: %s',
  403,
)
/** The connection is in as many rooms as it may be. */
export const AH_ROOMS_TOO_MANY: CodedErrorConstructor = createError(
  'AH_ROOMS_TOO_MANY',
  'a connection may be in at most %d rooms',
  429,
)
/** `authorize` said no. */
export const AH_ROOMS_FORBIDDEN: CodedErrorConstructor = createError('AH_ROOMS_FORBIDDEN', '%s', 403)
/** No node has a connection of that id. */
export const AH_ROOMS_NO_CONNECTION: CodedErrorConstructor = createError(
  'AH_ROOMS_NO_CONNECTION',
  'there is no connection %s',
  404,
)
/** The message is none that JSON can hold, or too long, or missing. */
export const AH_ROOMS_MESSAGE: CodedErrorConstructor = createError('AH_ROOMS_MESSAGE', '%s', 400)
/** What a client sent is no verb of ours. */
export const AH_ROOMS_VERB: CodedErrorConstructor = createError('AH_ROOMS_VERB', '%s', 400)
/** No route answers to that action on websockets. */
export const AH_ROOMS_ACTION: CodedErrorConstructor = createError(
  'AH_ROOMS_ACTION',
  'unknown action or invalid apiVersion: %s',
  404,
)
/** There is no such file for clients, or it is too large, or cannot be read. */
export const AH_ROOMS_FILE: CodedErrorConstructor = createError('AH_ROOMS_FILE', '%s', 404)
/** A middleware is none, or there is one of that name. */
export const AH_ROOMS_MIDDLEWARE: CodedErrorConstructor = createError('AH_ROOMS_MIDDLEWARE', '%s', 500)
/** This app's rooms are closed, or about to be. */
export const AH_ROOMS_CLOSED: CodedErrorConstructor = createError('AH_ROOMS_CLOSED', 'the rooms are closed', 503)
