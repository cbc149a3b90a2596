// Hides members by their names in what is logged.

const hidden = '[FILTERED]'
// Deeper than anybody reads; and what hides there is not shown.
const deepest = 8

/** The option `filteredParams` of a package: names of members that no log shows. */
export class FilteredParams {
  readonly #names: ReadonlySet<string>

  constructor(names: readonly string[]) {
    this.#names = new Set(names)
  }

  get isEmpty(): boolean {
    return this.#names.size === 0
  }

  /** The value as it may be shown: at any depth, members of these names are hidden. A copy, if any are to be. */
  shown(value: unknown): unknown {
    return this.isEmpty ? value : this.#mask(value, 0)
  }

  /** The value of a member of this name, as it may be shown. */
  shownAs(name: string, value: string): string {
    return this.#names.has(name) ? hidden : value
  }

  #mask(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (depth > deepest) return hidden
    if (Array.isArray(value)) return value.map((one) => this.#mask(one, depth + 1))
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, this.#names.has(name) ? hidden : this.#mask(one, depth + 1)]),
    )
  }
}
