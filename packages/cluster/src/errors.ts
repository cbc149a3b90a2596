// The cluster's coded errors.
import createError from '@fastify/error'
import type { CodedErrorConstructor } from 'fastify-ah-kit'

/** An option of the manager or of the plugin is unknown, missing or has a wrong value. */
export const AH_CLUSTER_OPTIONS: CodedErrorConstructor = createError('AH_CLUSTER_OPTIONS', '%s', 500)
/** The command line or the environment asks for something that does not exist or has a wrong value. */
export const AH_CLUSTER_USAGE: CodedErrorConstructor = createError('AH_CLUSTER_USAGE', '%s', 400)
/** A package that was to bring a command brings none, or one that cannot be run. */
export const AH_CLUSTER_COMMAND_INVALID: CodedErrorConstructor = createError('AH_CLUSTER_COMMAND_INVALID', '%s', 500)
/** There is no app file where it was looked for. */
export const AH_CLUSTER_APP_NOT_FOUND: CodedErrorConstructor = createError('AH_CLUSTER_APP_NOT_FOUND', '%s', 500)
/** The app file is there, but what it exports cannot be started. */
export const AH_CLUSTER_APP_INVALID: CodedErrorConstructor = createError('AH_CLUSTER_APP_INVALID', '%s', 500)
/** The app threw or ended while it was loaded or started. */
export const AH_CLUSTER_APP_FAILED: CodedErrorConstructor = createError('AH_CLUSTER_APP_FAILED', '%s', 500)
/** Fastify is installed neither beside the app nor beside this package. */
export const AH_CLUSTER_FASTIFY_NOT_FOUND: CodedErrorConstructor = createError(
  'AH_CLUSTER_FASTIFY_NOT_FOUND',
  '%s',
  500,
)
/** Somebody else listens on the port or the unix socket. */
export const AH_CLUSTER_ADDRESS_IN_USE: CodedErrorConstructor = createError('AH_CLUSTER_ADDRESS_IN_USE', '%s', 500)
/** The port or the unix socket cannot be bound: no right to, no such host or folder, path too long, no socket. */
export const AH_CLUSTER_ADDRESS_INVALID: CodedErrorConstructor = createError('AH_CLUSTER_ADDRESS_INVALID', '%s', 500)
/** The log file cannot be opened. */
export const AH_CLUSTER_LOG_FILE: CodedErrorConstructor = createError('AH_CLUSTER_LOG_FILE', '%s', 500)
/** A worker was not ready to serve in time. */
export const AH_CLUSTER_NOT_READY: CodedErrorConstructor = createError('AH_CLUSTER_NOT_READY', '%s', 500)
/** A reload was given up: the new release could not start, or the cluster stopped meanwhile; the old workers serve on. */
export const AH_CLUSTER_RELOAD_FAILED: CodedErrorConstructor = createError(
  'AH_CLUSTER_RELOAD_FAILED',
  'the reload was given up: %s',
  500,
)
/** A pid file cannot be written or belongs to a process that runs. */
export const AH_CLUSTER_PID_FILE: CodedErrorConstructor = createError('AH_CLUSTER_PID_FILE', '%s', 500)
/** No cluster runs where one was looked for. */
export const AH_CLUSTER_NOT_RUNNING: CodedErrorConstructor = createError('AH_CLUSTER_NOT_RUNNING', '%s', 503)
/** Workers died too fast, and the cluster was told to end then. */
export const AH_CLUSTER_FLAPPING: CodedErrorConstructor = createError('AH_CLUSTER_FLAPPING', '%s', 500)
/** The embedded store was asked for and could not be started. */
export const AH_CLUSTER_STORE_FAILED: CodedErrorConstructor = createError(
  'AH_CLUSTER_STORE_FAILED',
  'the embedded store could not be started: %s',
  500,
)
/** The workers' numbers were to be shown, and cannot be: the package is missing, or the port cannot be opened. */
export const AH_CLUSTER_METRICS: CodedErrorConstructor = createError('AH_CLUSTER_METRICS', '%s', 500)
/** The primary was asked for something and is gone, or did not answer in time. */
export const AH_CLUSTER_PRIMARY_GONE: CodedErrorConstructor = createError(
  'AH_CLUSTER_PRIMARY_GONE',
  'the primary of the cluster did not answer',
  503,
)
