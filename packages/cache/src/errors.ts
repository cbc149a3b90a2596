// The cache's coded errors.
import createError from '@fastify/error'
import type { CodedErrorConstructor } from 'fastify-ah-kit'

/** An option of the plugin or of a call is unknown or has a wrong value. */
export const AH_CACHE_OPTIONS: CodedErrorConstructor = createError('AH_CACHE_OPTIONS', '%s', 500)
/** The command line of `fastify-ah cache` is wrong. */
export const AH_CACHE_USAGE: CodedErrorConstructor = createError('AH_CACHE_USAGE', '%s', 500)
/** `load` found nothing under the key. */
export const AH_CACHE_NOT_FOUND: CodedErrorConstructor = createError(
  'AH_CACHE_NOT_FOUND',
  'nothing is stored under the key %s',
  404,
)
/** Another owner holds the lock of the key. */
export const AH_CACHE_LOCKED: CodedErrorConstructor = createError(
  'AH_CACHE_LOCKED',
  'the key %s is locked by another owner',
  423,
)
/** The key is no text, is empty, or holds half of a surrogate pair. */
export const AH_CACHE_KEY: CodedErrorConstructor = createError('AH_CACHE_KEY', '%s', 500)
/** The value cannot be kept as JSON and read back as what it is. */
export const AH_CACHE_VALUE: CodedErrorConstructor = createError('AH_CACHE_VALUE', '%s', 500)
/** A duration is no whole number of milliseconds above 0. */
export const AH_CACHE_DURATION: CodedErrorConstructor = createError('AH_CACHE_DURATION', '%s', 500)
/** The name of a namespace cannot be part of a key. */
export const AH_CACHE_NAMESPACE: CodedErrorConstructor = createError('AH_CACHE_NAMESPACE', '%s', 500)
/** The id of a lock's owner is no text, or empty. */
export const AH_CACHE_OWNER: CodedErrorConstructor = createError('AH_CACHE_OWNER', '%s', 500)
/** A list was asked for, and the key holds something else. */
export const AH_CACHE_NOT_A_LIST: CodedErrorConstructor = createError(
  'AH_CACHE_NOT_A_LIST',
  'the key %s holds no list',
  500,
)
/** `increment` of what is no whole number, or to one that JavaScript could not tell from its neighbour. */
export const AH_CACHE_NOT_A_NUMBER: CodedErrorConstructor = createError(
  'AH_CACHE_NOT_A_NUMBER',
  'the key %s cannot be counted on: %s',
  500,
)
/** The fencing token of a `save` is older than one that was handed out or used since: the lock is another's by now. */
export const AH_CACHE_FENCED: CodedErrorConstructor = createError(
  'AH_CACHE_FENCED',
  'the key %s was locked by another since the fencing token %s was given out; nothing was saved',
  409,
)
/** A lock that `withLock` held was lost while the work ran: time went by without a renewal, or it was taken away. */
export const AH_CACHE_LOCK_LOST: CodedErrorConstructor = createError(
  'AH_CACHE_LOCK_LOST',
  'the lock of the key %s was lost: %s',
  409,
)
/** `getOrSet` had no value in time: the producer hangs, here or in another process. */
export const AH_CACHE_PRODUCE_TIMEOUT: CodedErrorConstructor = createError(
  'AH_CACHE_PRODUCE_TIMEOUT',
  'nobody produced a value for the key %s within %d ms',
  504,
)
/** The file is no dump, or was cut or changed; nothing was written to Redis. */
export const AH_CACHE_DUMP_BROKEN: CodedErrorConstructor = createError(
  'AH_CACHE_DUMP_BROKEN',
  'the dump %s is broken: %s. Nothing was changed',
  500,
)
/** The file system refused to write or read a dump; `cause` says why. */
export const AH_CACHE_DUMP_FILE: CodedErrorConstructor = createError(
  'AH_CACHE_DUMP_FILE',
  'the dump %s cannot be %s: %s',
  500,
)
