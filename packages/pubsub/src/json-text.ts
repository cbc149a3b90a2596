// Data as JSON on its way out, and texts of others on their way in.
import { toError } from 'fastify-ah-kit'
import sjson from 'secure-json-parse'
import { AH_PUBSUB_DATA, AH_PUBSUB_TOO_LARGE } from './errors.ts'

/**
 * The data as JSON; throws `AH_PUBSUB_DATA` for what JSON cannot hold, and for what {@link parseJson} would refuse: it
 * would take the other messages of its frame with it. `what` is what errors call it.
 */
export function toJson(data: unknown, what: string, maxBytes: number): string {
  const text = stringify(data, what)
  if (isSuspicious(text)) {
    try {
      sjson.parse(text)
    } catch (thrown) {
      const cause = toError(thrown)
      throw new AH_PUBSUB_DATA(`${what} has a member called __proto__ or constructor.prototype`, { cause })
    }
  }
  // Most texts are so short that nobody has to count.
  if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) throw new AH_PUBSUB_TOO_LARGE(what, maxBytes)
  return text
}

/** Throws `AH_PUBSUB_DATA` for what JSON would leave out of an object in silence; undefined is no more than that. */
export function checkMember(value: unknown, what: string): void {
  if (typeof value !== 'function' && typeof value !== 'symbol') return
  throw new AH_PUBSUB_DATA(`${what} cannot be sent as JSON: it is ${typeof value}`)
}

/** The value of a text that somebody else wrote; throws for no JSON, `__proto__` and `constructor.prototype`. */
export function parseJson(text: string): unknown {
  return isSuspicious(text) || text.includes('\\u00') ? sjson.parse(text) : JSON.parse(text)
}

function stringify(data: unknown, what: string): string {
  let text: string | undefined
  try {
    text = JSON.stringify(data)
  } catch (thrown) {
    const cause = toError(thrown)
    throw new AH_PUBSUB_DATA(`${what} cannot be sent as JSON: ${cause.message}`, { cause })
  }
  if (text !== undefined) return text
  throw new AH_PUBSUB_DATA(`${what} cannot be sent as JSON: it is ${typeof data}`)
}

// Where neither stands, the thorough look (a quarter of the time of parsing) has nothing to find.
function isSuspicious(text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor')
}
