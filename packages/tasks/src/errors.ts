// The tasks' coded errors.
import createError from '@fastify/error'
import type { CodedErrorConstructor } from 'fastify-ah-kit'

/** An option of the plugin or of a call is unknown or has a wrong value. */
export const AH_TASKS_OPTIONS: CodedErrorConstructor = createError('AH_TASKS_OPTIONS', '%s', 500)
/** A definition is incomplete, wrong, a duplicate, or came too late. */
export const AH_TASKS_DEFINITION: CodedErrorConstructor = createError('AH_TASKS_DEFINITION', '%s', 500)
/** No task of that name is defined. */
export const AH_TASKS_UNKNOWN: CodedErrorConstructor = createError(
  'AH_TASKS_UNKNOWN',
  'there is no task %s in this app%s',
  500,
)
/** The inputs do not fit the task's schema, or cannot be kept as JSON. */
export const AH_TASKS_INPUTS: CodedErrorConstructor = createError('AH_TASKS_INPUTS', '%s', 400)
/** The name of a queue cannot be one. */
export const AH_TASKS_QUEUE: CodedErrorConstructor = createError('AH_TASKS_QUEUE', '%s', 500)
/** The same job was delayed to the same second already. */
export const AH_TASKS_DUPLICATE: CodedErrorConstructor = createError(
  'AH_TASKS_DUPLICATE',
  'the task %s is enqueued with these inputs at this time already',
  409,
)
/** What lay in a queue is no job that can be run; the bytes are kept in the failed list. */
export const AH_TASKS_PAYLOAD: CodedErrorConstructor = createError('AH_TASKS_PAYLOAD', '%s', 500)
/** A job did not end within its `timeoutMs`. */
export const AH_TASKS_TIMEOUT: CodedErrorConstructor = createError(
  'AH_TASKS_TIMEOUT',
  'the task %s did not end within %d ms',
  500,
)
/** A job was cancelled. */
export const AH_TASKS_CANCELLED: CodedErrorConstructor = createError(
  'AH_TASKS_CANCELLED',
  'the job of the task %s was cancelled',
  409,
)
/** The process is no longer the owner of the job: it was taken for dead, and another has the job. */
export const AH_TASKS_LOST: CodedErrorConstructor = createError(
  'AH_TASKS_LOST',
  'the job of the task %s belongs to another process now',
  409,
)
/** The process stops; what runs is given back. */
export const AH_TASKS_STOPPED: CodedErrorConstructor = createError(
  'AH_TASKS_STOPPED',
  'the job of the task %s was given back, this process stops',
  503,
)
/** A job killed its process for the third time. */
export const AH_TASKS_CRASHED: CodedErrorConstructor = createError(
  'AH_TASKS_CRASHED',
  'the job crashed its worker %d times',
  500,
)
/** `waitFor` had no outcome in time. */
export const AH_TASKS_WAIT_TIMEOUT: CodedErrorConstructor = createError(
  'AH_TASKS_WAIT_TIMEOUT',
  'the job %s has no outcome after %d ms',
  504,
)
/** A job that is not tracked, or not any more, was asked for. */
export const AH_TASKS_NOT_TRACKED: CodedErrorConstructor = createError(
  'AH_TASKS_NOT_TRACKED',
  'nothing is known of the job %s: enqueue it with track: true; an outcome is kept for a while only',
  404,
)
/** The job that `waitFor` waited for failed. */
export const AH_TASKS_FAILED: CodedErrorConstructor = createError('AH_TASKS_FAILED', 'the job %s failed: %s', 500)
/** The job stands in the queue of the master, and fewer replicas than asked for have it. */
export const AH_TASKS_NOT_DURABLE: CodedErrorConstructor = createError(
  'AH_TASKS_NOT_DURABLE',
  'the job is enqueued, but only %d of %d replicas had it within %d ms',
  503,
)
/** An entry of the failed list is not there any more. */
export const AH_TASKS_NOT_FAILED: CodedErrorConstructor = createError(
  'AH_TASKS_NOT_FAILED',
  'this job is not in the failed list',
  404,
)
/** A command line of `fastify-ah tasks` cannot be understood. */
export const AH_TASKS_USAGE: CodedErrorConstructor = createError('AH_TASKS_USAGE', '%s', 500)
