// Owns what the arguments of calls have to be: what is wrong is said by name, before Redis is asked.
import { AH_TASKS_OPTIONS } from './errors.ts'

/** Throws `AH_TASKS_OPTIONS`. */
export function refuse(name: string, expected: string, got: unknown): never {
  const text = typeof got === 'object' || typeof got === 'string' ? JSON.stringify(got) : String(got)
  throw new AH_TASKS_OPTIONS(`${name}: expected ${expected}, got ${text}`)
}

/** A whole number, negative ones too: a place in a list, or LREM's count. */
export function checkPlace(name: string, value: unknown): number {
  return Number.isSafeInteger(value) ? (value as number) : refuse(name, 'a whole number', value)
}

/** A number of ms, 0 or more. */
export function checkMs(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value
  return refuse(name, 'a number of ms', value)
}

/** The id of a job. */
export function checkId(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : refuse('id', 'the text that an enqueue answered', value)
}

/** An object that has no other members than these. */
export function checkMembers(
  what: string,
  value: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(what, 'an object', value)
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) {
      throw new AH_TASKS_OPTIONS(`unknown member "${name}" of ${what}; there are: ${known.join(', ')}`)
    }
  }
  return value as Readonly<Record<string, unknown>>
}
