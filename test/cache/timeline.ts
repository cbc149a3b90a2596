// Owns what was true of a key when, as Redis' MONITOR told it.

/** How far apart two notes of one instant may be, in ms: Redis counts ends in whole ones, and so do the readers' clocks. */
const blurMs = 2

interface Span {
  readonly value: string | undefined
  readonly tags: readonly string[]
  readonly from: number
  /** When it ends by itself. */
  end: number
  /** When it was replaced or invalidated. */
  to: number
  /** When one of its tags was invalidated, also if it had been replaced before. */
  raisedAt: number
}

/** The values of one key one after the other; undefined while there is none. Times in ms since 1970. */
export class Timeline {
  readonly #spans: Span[] = [span(undefined, [], 0)]

  /** What it was set to last, whether or not that has ended. */
  get now(): string | undefined {
    return this.#last.value
  }

  /** From `at` on the key holds this; for `ms`, if it ends by itself. */
  set(at: number, value: string | undefined, ms = Number.POSITIVE_INFINITY, tags: readonly string[] = []): void {
    this.#last.to = at
    this.#spans.push({ ...span(value, tags, at), end: at + ms })
  }

  /** What it holds, if anything, ends after this time. */
  renew(at: number, ms: number): void {
    if (this.#last.value !== undefined && at < this.#last.end) this.#last.end = at + ms
  }

  /** The tag was invalidated. */
  raise(at: number, tag: string): void {
    for (const each of this.#spans) if (each.tags.includes(tag)) each.raisedAt = Math.min(each.raisedAt, at)
    if (this.#last.tags.includes(tag)) this.set(at, undefined)
  }

  /** How old what was read was when the read began: 0 if it was true then or later, undefined if it never was. */
  ageOf(value: string | undefined, begun: number, ended: number): number | undefined {
    let age: number | undefined
    for (const each of this.#spans) {
      const to = Math.min(each.to, each.end)
      if (each.value === value) note(each.from, to)
      // It had come to its end before it was replaced.
      else if (value === undefined && each.end < each.to) note(each.end, each.to)
      // The value was asked for, then its tags: if one was invalidated in between it is a miss, whatever lies there by now.
      else if (value === undefined && each.raisedAt <= ended) note(each.from, to)
    }
    return age

    function note(from: number, to: number): void {
      if (from - blurMs > ended) return
      age = Math.min(age ?? Number.POSITIVE_INFINITY, Math.max(0, begun - to - blurMs))
    }
  }

  get #last(): Span {
    return this.#spans.at(-1)!
  }
}

function span(value: string | undefined, tags: readonly string[], from: number): Span {
  const never = Number.POSITIVE_INFINITY
  return { value, tags, from, end: never, to: never, raisedAt: never }
}
