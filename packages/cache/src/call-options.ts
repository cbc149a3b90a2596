// The options of a single call: known names only, so that a wrong or old one is not silently without effect.
import { nearest } from 'fastify-ah-kit'
import { AH_CACHE_OPTIONS } from './errors.ts'
import { shown } from './shown.ts'

const renamed: Readonly<Record<string, string>> = { expireTimeMS: 'expireMs', expireTimeMs: 'expireMs' }

/** Throws `AH_CACHE_OPTIONS` if `options` is no object or has a name that the call does not know. */
export function checkCallOptions(call: string, options: unknown, known: readonly string[]): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new AH_CACHE_OPTIONS(`${call}: expected an object of options (${known.join(', ')}), got ${shown(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new AH_CACHE_OPTIONS(`${call}: ${explain(name, known)}`)
  }
}

/** Throws `AH_CACHE_OPTIONS` for what is no array. */
export function checkEach(call: string, items: unknown): asserts items is readonly unknown[] {
  if (Array.isArray(items)) return
  throw new AH_CACHE_OPTIONS(`${call}: expected an array, got ${shown(items)}`)
}

function explain(name: string, known: readonly string[]): string {
  const now = renamed[name]
  if (now !== undefined && known.includes(now)) return `option "${name}" is now called "${now}"`
  const close = nearest(name, known)
  const hint = close === undefined ? `there are: ${known.join(', ')}` : `did you mean "${close}"?`
  return `unknown option "${name}"; ${hint}`
}
