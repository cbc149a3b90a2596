// An error on its way from the node that handled a call to the one that made it.
import { toError } from 'fastify-ah-kit'
import { AH_PUBSUB_CALL_FAILED } from './errors.ts'

/** What travels: no stack, which is the business of the node where it happened. */
export interface SentError {
  readonly code?: string
  readonly message: string
  readonly statusCode?: number
}

/** Of whatever a handler threw. */
export function errorToSend(thrown: unknown): SentError {
  const error = toError(thrown)
  const { code, statusCode } = error as Error & { code?: unknown; statusCode?: unknown }
  return {
    message: String(error.message).slice(0, 10_000),
    ...(typeof code === 'string' ? { code: code.slice(0, 200) } : {}),
    ...(Number.isInteger(statusCode) ? { statusCode: statusCode as number } : {}),
  }
}

/** The error that the caller gets: with the handler's message, and its code and status where it had them. */
export function receivedError(sent: unknown, node: string): Error {
  const { code, message, statusCode } = (typeof sent === 'object' && sent !== null ? sent : {}) as Record<
    string,
    unknown
  >
  const error = new AH_PUBSUB_CALL_FAILED(typeof message === 'string' ? message : 'the handler failed')
  // As it was: the constructor takes % for a place in its text.
  if (typeof message === 'string') error.message = message
  if (typeof code === 'string') error.code = code
  if (Number.isInteger(statusCode)) error.statusCode = statusCode as number
  return Object.assign(error, { node })
}
