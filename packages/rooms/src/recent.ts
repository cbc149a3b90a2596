// What a room has heard while joins are under way: a new member is given what came behind the answer to its join.
import type { Said } from './frame.ts'

/** A join that is under way. */
export interface Underway {
  /** Number of the first that it may need. */
  readonly from: number
}

/** Keeps what the oldest of the joins may need, and no more: where people come without a break, there always is one. */
export class Recent {
  #said: Said[] = []
  /** Number of the first of them. */
  #first = 0
  /** The oldest first. */
  readonly #joins = new Set<Underway>()

  get isNeeded(): boolean {
    return this.#joins.size > 0
  }

  /** How many are kept. */
  get size(): number {
    return this.#said.length
  }

  begin(): Underway {
    const join = { from: this.#first + this.#said.length }
    this.#joins.add(join)
    return join
  }

  end(join: Underway): void {
    this.#joins.delete(join)
    const [oldest] = this.#joins
    const from = oldest?.from ?? this.#first + this.#said.length
    this.#said.splice(0, from - this.#first)
    this.#first = from
  }

  add(said: Said): void {
    if (this.isNeeded) this.#said.push(said)
  }

  since({ from }: Underway): readonly Said[] {
    return this.#said.slice(from - this.#first)
  }
}
