// From which pages clients may connect: browsers say where a page is from, and let it connect anywhere.
import type { IncomingMessage } from 'node:http'

/** What it decides by. */
export interface OriginsOptions {
  /** Whole ones, as in `https://shop.example`; their case, and the port that a scheme has anyway, do not matter. */
  readonly listed: readonly string[]
  /** Whether pages of the same host may connect, by http or https. */
  readonly isOwnHostAllowed: boolean
  /** Whether programs may connect, which send no origin. */
  readonly isMissingAllowed: boolean
}

/** Compares whole origins: a prefix or suffix of an allowed one is another one. */
export class Origins {
  readonly #listed: ReadonlySet<string>
  readonly #isOwnHostAllowed: boolean
  readonly #isMissingAllowed: boolean

  constructor({ listed, isOwnHostAllowed, isMissingAllowed }: OriginsOptions) {
    this.#listed = new Set(listed.map(asSent))
    this.#isOwnHostAllowed = isOwnHostAllowed
    this.#isMissingAllowed = isMissingAllowed
  }

  allows({ rawHeaders, headers }: Pick<IncomingMessage, 'rawHeaders' | 'headers'>): boolean {
    // Node keeps the first of several, and which one a proxy has looked at nobody knows.
    const given = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'origin').length
    if (given > 1) return false
    const origin = headers.origin?.toLowerCase()
    if (given === 0 || origin === undefined) return this.#isMissingAllowed
    if (this.#listed.has(origin)) return true
    const host = headers.host?.toLowerCase()
    return this.#isOwnHostAllowed && host !== undefined && [`http://${host}`, `https://${host}`].includes(origin)
  }
}

/** As a browser writes it: without the port that its scheme has anyway, and with a name of ASCII alone. */
function asSent(origin: string): string {
  const isWeb = /^https?:/i.test(origin) && URL.canParse(origin)
  return isWeb ? new URL(origin).origin : origin.toLowerCase()
}
