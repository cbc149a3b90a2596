// How keys and values look in messages: short, on one line, whatever they are.
import { inspect } from 'node:util'
import { toError } from 'fastify-ah-kit'

const longest = 100

/** The value in few characters. */
export function shown(value: unknown): string {
  if (typeof value === 'string' && value.length > longest) return `${JSON.stringify(value.slice(0, longest))}…`
  if (typeof value === 'string') return JSON.stringify(value)
  try {
    return inspect(value, { depth: 0, customInspect: false, breakLength: Number.POSITIVE_INFINITY })
  } catch (thrown) {
    return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value} that cannot be shown (${toError(thrown).message})`
  }
}
