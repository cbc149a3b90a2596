// How many stored values and elements could not be read.

/** Counts for one registration of the plugin, its namespaces and owners included. */
export class UnreadableCount {
  #count = 0

  get count(): number {
    return this.#count
  }

  add(): void {
    this.#count += 1
  }
}
