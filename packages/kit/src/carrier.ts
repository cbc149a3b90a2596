// What jobs and messages carry from the place where they were made to the place where they run: the trace context.

/** Names and values, as W3C's headers have them: `traceparent`, `tracestate`, and what else subscribers agree on. */
export type Carrier = Readonly<Record<string, string>>

// A job or message is to stay what it is: nobody sends data this way.
const mostEntries = 8
const longestName = 64
const longestValue = 512

/**
 * The carrier in something that anybody may have written: entries that are too long or no texts are left out. Undefined
 * if none is left. It has no prototype, so no name means anything.
 */
export function carrierIn(value: unknown): Carrier | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const kept = Object.entries(value).filter(
    ([name, text]) => name.length <= longestName && typeof text === 'string' && text.length <= longestValue,
  )
  if (kept.length === 0) return undefined
  return Object.assign(Object.create(null), Object.fromEntries(kept.slice(0, mostEntries))) as Carrier
}

/** Runs what it is given inside of something: another context, say. Has to call it, once and at once. */
export type Around = <T>(work: () => T) => T

/**
 * What a run or a delivery takes place in, as those who listen for its start say it. A tracing channel of Node could only
 * bind a storage that is its subscriber's own; OpenTelemetry's is not for others to reach.
 */
export class Surroundings {
  readonly #all: Around[] = []

  /** For subscribers of `start`. The first one is the outermost. */
  readonly add = (around: Around): void => {
    this.#all.push(around)
  }

  run<T>(work: () => T): T {
    const enter = this.#all.reduceRight<() => T>((inner, around) => () => around(inner), work)
    return enter()
  }
}
