// From which pages clients may connect.
import type { IncomingHttpHeaders } from 'node:http'

/** Pages of the same host, those that are listed, and programs, which send no origin. */
export class Origins {
  readonly #listed: ReadonlySet<string>

  constructor(listed: readonly string[]) {
    this.#listed = new Set(listed.map((origin) => origin.toLowerCase()))
  }

  allows({ origin, host }: IncomingHttpHeaders): boolean {
    if (origin === undefined) return true
    const given = origin.toLowerCase()
    if (this.#listed.has(given)) return true
    return host !== undefined && [`http://${host.toLowerCase()}`, `https://${host.toLowerCase()}`].includes(given)
  }
}
