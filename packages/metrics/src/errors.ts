// The metrics' coded errors.
import createError from '@fastify/error'
import type { CodedErrorConstructor } from 'fastify-ah-kit'

/** An option of the plugin is unknown or has a wrong value. */
export const AH_METRICS_OPTIONS: CodedErrorConstructor = createError('AH_METRICS_OPTIONS', '%s', 500)
/** The registry has a metric of one of our names already. */
export const AH_METRICS_TAKEN: CodedErrorConstructor = createError('AH_METRICS_TAKEN', '%s', 500)
/** The port on which the metrics are shown cannot be opened. */
export const AH_METRICS_PORT: CodedErrorConstructor = createError('AH_METRICS_PORT', '%s', 500)
