// What may name a namespace.
import { AH_CACHE_NAMESPACE } from './errors.ts'
import { shown } from './shown.ts'

// Not the separator of keys.ts; and no control characters, so that listings stay readable.
const forbidden = /[:\p{Control}]|\p{Surrogate}/u
const longest = 256

/** Throws `AH_CACHE_NAMESPACE` for what cannot name a namespace. */
export function checkNamespaceName(name: unknown): asserts name is string {
  if (typeof name === 'string' && name !== '' && name.length <= longest && !forbidden.test(name)) return
  throw new AH_CACHE_NAMESPACE(
    `expected the name of a namespace: 1 to ${longest} characters without ":" and control characters, got ${shown(name)}`,
  )
}
