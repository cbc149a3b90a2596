// Faye's coded errors: of the app that registers the plugin. Clients get Bayeux' own, see bayeux.ts.
import createError from '@fastify/error'
import type { CodedErrorConstructor } from 'fastify-ah-kit'

/** An option of the plugin is unknown or has a wrong value, or contradicts another. */
export const AH_FAYE_OPTIONS: CodedErrorConstructor = createError('AH_FAYE_OPTIONS', '%s', 500)
/** `fastify-ah-pubsub` is not there under the name that the option says. */
export const AH_FAYE_PUBSUB: CodedErrorConstructor = createError('AH_FAYE_PUBSUB', '%s', 500)
