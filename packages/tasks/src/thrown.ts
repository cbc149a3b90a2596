// Owns how whatever a run threw is read: three texts, whatever its getters do.
import { toError } from 'fastify-ah-kit'

/** What can be said of a thrown value. */
export interface Thrown {
  readonly name: string
  readonly message: string
  readonly stack: string
}

/** Never throws. */
export function readThrown(thrown: unknown): Thrown {
  const error = toError(thrown)
  return {
    name: textOf(() => error.name, 'Error'),
    message: textOf(() => error.message, 'an error whose message cannot be read'),
    stack: textOf(() => error.stack, ''),
  }
}

function textOf(read: () => unknown, instead: string): string {
  try {
    const value = read()
    return typeof value === 'string' ? value : instead
  } catch {
    // A getter of the user's that throws: the rest of the error is still worth keeping.
    return instead
  }
}
