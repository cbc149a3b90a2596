// Owns how many values a label may have: each makes a series for ever, in every process and in Prometheus.

/** What further values are called. */
const other = 'other'
const longest = 200

/** The first values as they are, each further one as `other`. */
export class Bounded {
  readonly #most: number
  readonly #known = new Set<string>()

  constructor(most: number) {
    this.#most = most
  }

  of(value: string): string {
    if (this.#known.has(value)) return value
    if (this.#known.size >= this.#most || value.length > longest) return other
    this.#known.add(value)
    return value
  }
}
