// Owns what is kept of a tracked job's outcome: JSON, bounded, never an error of its own.
import { readThrown } from './thrown.ts'

/** Of a success. What cannot be kept as JSON is told in its place. */
export function successText(result: unknown): string {
  try {
    return JSON.stringify({ result })
  } catch (cause) {
    return JSON.stringify({ result: null, note: `the result cannot be kept as JSON: ${readThrown(cause).message}` })
  }
}

/** Of a failure. */
export function failureText(thrown: unknown): string {
  const { name, message } = readThrown(thrown)
  return JSON.stringify({ error: { name, message } })
}
