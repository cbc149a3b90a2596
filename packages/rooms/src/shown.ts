// A value in a message: short, and safe to look at.
import { inspect } from 'node:util'

/** The value in words for an error message, at most so long that a log line stays readable. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value)
  return inspect(value, { depth: 0, customInspect: false, breakLength: Number.POSITIVE_INFINITY }).slice(0, 200)
}
