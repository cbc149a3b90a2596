// How what was given looks in messages: short, on one line, whatever it is.
import { inspect } from 'node:util'

const longest = 100

/** The value in few characters; calls nothing of its own. */
export function shown(value: unknown): string {
  if (typeof value === 'string' && value.length > longest) return `${JSON.stringify(value.slice(0, longest))}…`
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  return typeof value === 'function' ? 'a function' : inspect(value)
}
