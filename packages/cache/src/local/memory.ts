// What this process remembers: what lies under names, the least recently used forgotten first, and the reads under way that
// may become entries.
import { LRUCache } from 'lru-cache'

/** A read on its way, from before it is sent until what it found is kept or not. */
export interface Fill {
  readonly name: string
  /** The key changed, or may have, since the read began: what it finds may be old. */
  isBroken: boolean
  /** Somebody is about to keep what was found. */
  isTaken: boolean
  /** Reads that share it. */
  holders: number
}

/**
 * A read's answer and the word that the key has changed come over two sockets, in any order. Whatever drops a name
 * breaks the reads of it that are under way: they still answer their callers, and nothing of them is kept.
 */
export class Memory<Kept extends object> {
  readonly #entries: LRUCache<string, Kept>
  readonly #fills = new Map<string, Fill>()

  constructor(max: number) {
    this.#entries = new LRUCache({ max })
  }

  get size(): number {
    return this.#entries.size
  }

  find(name: string): Kept | undefined {
    return this.#entries.get(name)
  }

  /** A read begins. A later one may share it: nothing has happened to the key since. Each begin has its {@link end}. */
  begin(name: string): Fill {
    let fill = this.#fills.get(name)
    if (fill === undefined) {
      fill = { name, isBroken: false, isTaken: false, holders: 0 }
      this.#fills.set(name, fill)
    }
    fill.holders += 1
    return fill
  }

  end(fill: Fill): void {
    fill.holders -= 1
    if (fill.holders === 0 && !fill.isBroken) this.#fills.delete(fill.name)
  }

  /** Does nothing for a read that is broken. */
  keep(fill: Fill, kept: Kept): void {
    if (!fill.isBroken) this.#entries.set(fill.name, kept)
  }

  /** Forgets the name; whether there was an entry. */
  drop(name: string): boolean {
    const fill = this.#fills.get(name)
    if (fill !== undefined) {
      fill.isBroken = true
      this.#fills.delete(name)
    }
    return this.#entries.delete(name)
  }

  /** Forgets an entry that is over, and leaves the reads alone. */
  expire(name: string): void {
    this.#entries.delete(name)
  }

  clear(): void {
    for (const fill of this.#fills.values()) fill.isBroken = true
    this.#fills.clear()
    this.#entries.clear()
  }
}
