// The stats' coded errors.
import createError from '@fastify/error'
import type { CodedErrorConstructor } from 'fastify-ah-kit'

/** An option of the plugin is unknown or has a wrong value. */
export const AH_STATS_OPTIONS: CodedErrorConstructor = createError('AH_STATS_OPTIONS', '%s', 500)
/** The key is no text, is empty or too long, or holds half of a surrogate pair. */
export const AH_STATS_KEY: CodedErrorConstructor = createError('AH_STATS_KEY', '%s', 500)
/** What is to be added is no whole number that JavaScript can tell from its neighbours. */
export const AH_STATS_AMOUNT: CodedErrorConstructor = createError('AH_STATS_AMOUNT', '%s', 500)
/** There can be no collection of that name. */
export const AH_STATS_COLLECTION: CodedErrorConstructor = createError('AH_STATS_COLLECTION', '%s', 500)
/** What Redis holds under the key is no count: another program wrote it. */
export const AH_STATS_NOT_A_NUMBER: CodedErrorConstructor = createError('AH_STATS_NOT_A_NUMBER', '%s', 500)
