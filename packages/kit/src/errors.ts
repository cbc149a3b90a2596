// The kit's coded errors, and how a thrown value of any kind becomes an Error with a readable text.
import { inspect } from 'node:util'
import type { FastifyErrorConstructor } from '@fastify/error'
import createError from '@fastify/error'

/** Constructor of a coded error: `new AH_X(...formatArguments, { cause })`. */
export type CodedErrorConstructor = FastifyErrorConstructor<{ code: string }, unknown[]>

/** An option is unknown, missing or has a wrong value. */
export const AH_KIT_OPTIONS: CodedErrorConstructor = createError('AH_KIT_OPTIONS', '%s', 500)
/** Something was asked of a batch that has been closed. */
export const AH_KIT_BATCH_CLOSED: CodedErrorConstructor = createError(
  'AH_KIT_BATCH_CLOSED',
  'the batch %s is closed',
  503,
)
/** A batch's `send` answered with another number of results than it was given items. */
export const AH_KIT_BATCH_BROKEN: CodedErrorConstructor = createError(
  'AH_KIT_BATCH_BROKEN',
  'the batch %s was given %d items and answered %d results',
  500,
)
/** A loop was stopped while its step ran, and the step did not end in time. */
export const AH_KIT_LOOP_STUCK: CodedErrorConstructor = createError(
  'AH_KIT_LOOP_STUCK',
  'the loop %s was stopped, its step did not end within %d ms and is left behind',
  500,
)
/** A drain part was still at work when its time was over. */
export const AH_KIT_DRAIN_TIMEOUT: CodedErrorConstructor = createError(
  'AH_KIT_DRAIN_TIMEOUT',
  'the drain part "%s" was not done within %d ms',
  500,
)
/** Two plugins of an app want the upgrades of one path. */
export const AH_KIT_UPGRADE_TAKEN: CodedErrorConstructor = createError(
  'AH_KIT_UPGRADE_TAKEN',
  'the upgrades of %s belong to another plugin: give one of them another path',
  500,
)

/**
 * The thrown value as an Error: errors pass as they are, anything else (undefined, a string, an object whose
 * toString throws) is wrapped, with the value as `cause`. Never throws.
 */
export function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown
    return new Error(describe(thrown), { cause: thrown })
  } catch (resistance) {
    // A proxy whose traps throw, say: not even its prototype can be asked for.
    return new Error('thrown: a value that cannot be looked at', { cause: resistance })
  }
}

function describe(thrown: unknown): string {
  if (typeof thrown === 'string' && thrown !== '') return thrown
  // It calls neither toString nor toJSON nor getters, and ends in time whatever the size.
  return `thrown: ${inspect(thrown, { customInspect: false, depth: 2, maxStringLength: 1000, breakLength: Number.POSITIVE_INFINITY })}`
}
