// From which pages clients may connect.
import type { IncomingMessage } from 'node:http'

/** What it decides by. */
export interface OriginsOptions {
  /** Whole origins; undefined: pages of the same host. */
  readonly listed: readonly string[] | undefined
  readonly allowMissing: boolean
}

/** Compares whole origins: a prefix or suffix of an allowed one is another one. */
export class Origins {
  readonly #listed: ReadonlySet<string> | undefined
  readonly #allowMissing: boolean

  constructor({ listed, allowMissing }: OriginsOptions) {
    this.#listed = listed === undefined ? undefined : new Set(listed.map((origin) => origin.toLowerCase()))
    this.#allowMissing = allowMissing
  }

  allows({ rawHeaders, headers }: Pick<IncomingMessage, 'rawHeaders' | 'headers'>): boolean {
    // Node keeps the first of several, and which one a proxy has looked at nobody knows.
    const given = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'origin').length
    if (given > 1) return false
    const origin = headers.origin?.toLowerCase()
    if (given === 0 || origin === undefined) return this.#allowMissing
    if (this.#listed !== undefined) return this.#listed.has(origin)
    const host = headers.host?.toLowerCase()
    return host !== undefined && [`http://${host}`, `https://${host}`].includes(origin)
  }
}
