// An error of a `produce` function on its way to the processes that waited for it.
import { toError } from 'fastify-ah-kit'
import { fromJson } from '../json-text.ts'

// An error may carry a whole response in its message.
const longest = 4096

/** The error as text: name, message, code and status. Never throws: others wait to be told that the run is over. */
export function errorText(thrown: unknown): string {
  try {
    return textOf(thrown)
  } catch (resistance) {
    // A getter that throws, a name that is no text.
    return textOf(new Error('the producer threw an error that cannot be shown', { cause: resistance }))
  }
}

function textOf(thrown: unknown): string {
  const { name, message, code, statusCode } = toError(thrown) as Error & { code?: unknown; statusCode?: unknown }
  return JSON.stringify({
    name: String(name).slice(0, longest),
    message: String(message).slice(0, longest),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof statusCode === 'number' ? { statusCode } : {}),
  })
}

/** An error that says the same here; what is no such text gives one that says so. */
export function errorFrom(text: string): Error {
  const said = fromJson(text)
  const { name, message, code, statusCode } = (typeof said === 'object' && said !== null ? said : {}) as Record<
    string,
    unknown
  >
  const error = new Error(typeof message === 'string' ? message : 'the producer failed in another process')
  error.name = typeof name === 'string' ? name : 'Error'
  // Where it was thrown is known there alone.
  error.stack = `${error.name}: ${error.message}\n    in another process, which produced the value`
  if (typeof code === 'string' || typeof code === 'number') Object.assign(error, { code })
  if (typeof statusCode === 'number') Object.assign(error, { statusCode })
  return error
}
