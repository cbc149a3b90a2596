// The Redis side's coded errors.
import createError from '@fastify/error'
import type { CodedErrorConstructor } from '../errors.ts'

/** The `redis` or `prefix` option is wrong. */
export const AH_KIT_REDIS_OPTION: CodedErrorConstructor = createError('AH_KIT_REDIS_OPTION', '%s', 500)
/** No Redis was given in production, and the embedded store was not asked for. */
export const AH_KIT_REDIS_MISSING: CodedErrorConstructor = createError(
  'AH_KIT_REDIS_MISSING',
  'no Redis is given: pass the option "redis", register @fastify/redis first, set REDIS_URL, or ask for the store in memory with embedded: true',
  500,
)
/** Redis could not be reached, or did not let us in, while the app booted. */
export const AH_KIT_REDIS_BOOT: CodedErrorConstructor = createError('AH_KIT_REDIS_BOOT', '%s', 500)
/** Redis is not connected, or not ready for the command: it was surely not applied. */
export const AH_KIT_REDIS_DOWN: CodedErrorConstructor = createError(
  'AH_KIT_REDIS_DOWN',
  'Redis is not connected or not ready, "%s" was not applied',
  503,
)
/** Redis did not answer a read in time. */
export const AH_KIT_REDIS_TIMEOUT: CodedErrorConstructor = createError(
  'AH_KIT_REDIS_TIMEOUT',
  'Redis did not answer "%s" within %d ms',
  503,
)
/** A write was sent and its answer did not come: it may or may not have been applied. */
export const AH_KIT_REDIS_UNCERTAIN: CodedErrorConstructor = createError(
  'AH_KIT_REDIS_UNCERTAIN',
  'Redis did not answer "%s" within %d ms: it may have been applied or not',
  503,
)
/** Redis answered with an error: a command was not applied, a script only as far as it got. */
export const AH_KIT_REDIS_REFUSED: CodedErrorConstructor = createError(
  'AH_KIT_REDIS_REFUSED',
  'Redis refused "%s": %s',
  503,
)
