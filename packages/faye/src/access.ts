// Which channels are whose: everybody's, the servers' that a token opens, and nobody's.
import { createHash, timingSafeEqual } from 'node:crypto'

/** `open`: everybody's. `servers`: below `/actionhero/app/`. `closed`: the rest of `/actionhero/`. */
export type Realm = 'open' | 'servers' | 'closed'

/**
 * Whose a channel is. Bayeux names have letters, digits and `-_!~()$@` alone, so capitals and such marks are all that
 * another spelling of the word can have.
 */
export function realmOf(channel: string): Realm {
  const [, first = '', second = '', third = ''] = channel.split('/')
  if (first.replace(/[^A-Za-z0-9]/g, '').toLowerCase() !== 'actionhero') return 'open'
  return first === 'actionhero' && second === 'app' && third !== '' ? 'servers' : 'closed'
}

/** The server's tokens, of which a client may know one. */
export class ServerTokens {
  readonly #digests: readonly Buffer[]

  constructor(tokens: readonly string[]) {
    this.#digests = tokens.map(digest)
  }

  /** Whether it is one of them; takes the same time for all that are not. */
  accepts(token: unknown): boolean {
    if (typeof token !== 'string') return false
    const given = digest(token)
    return this.#digests.map((one) => timingSafeEqual(one, given)).includes(true)
  }
}

/** The token beside or in a message, and its data without it: what goes to others must not hold it. */
export function takeToken(data: unknown, ext: unknown): { readonly token: unknown; readonly data: unknown } {
  const beside = isObject(ext) ? ext['serverToken'] : undefined
  if (!isObject(data) || !Object.hasOwn(data, 'serverToken')) return { token: beside, data }
  const { serverToken, ...rest } = data
  return { token: serverToken, data: rest }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
