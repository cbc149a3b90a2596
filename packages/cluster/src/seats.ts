// The seats of the cluster: how many workers are wanted, of which role, and the number of each.

/** Role of workers that do background work and listen to nobody. */
const DEAF_ROLE = 'worker'
const MOST = 1024

/** A place for one worker. A replacement takes the same seat. */
export interface Seat {
  /** 1, 2, … unique in the cluster. */
  readonly id: number
  /** Undefined where the operator named none. */
  readonly role: string | undefined
}

/** How many workers of each role; in the order in which the operator named them. */
export type RoleCounts = readonly { readonly role: string | undefined; readonly count: number }[]

/** Whether workers of this role take connections. */
export function isListening(role: string | undefined): boolean {
  return role !== DEAF_ROLE
}

/** Changes only by {@link resize}; numbers are given in the order of the roles, later ones fill gaps. */
export class Seats {
  readonly #roles: readonly (string | undefined)[]
  #seats: readonly Seat[] = []

  constructor(counts: RoleCounts) {
    this.#roles = counts.map(({ role }) => role)
    for (const { role, count } of counts) this.resize(role, count)
  }

  /** In the order of their numbers. */
  get all(): readonly Seat[] {
    return this.#seats
  }

  get size(): number {
    return this.#seats.length
  }

  /** The roles there are, also those without a seat at the moment. */
  get roles(): readonly (string | undefined)[] {
    return this.#roles
  }

  has(id: number): boolean {
    return this.#seats.some((seat) => seat.id === id)
  }

  count(role: string | undefined): number {
    return this.#seats.filter((seat) => seat.role === role).length
  }

  /** Adds seats with the lowest free numbers, or takes away those with the highest; from 0 to 1024 of a role. */
  resize(role: string | undefined, wanted: number): void {
    const count = Math.min(MOST, Math.max(0, wanted))
    const own = this.#seats.filter((seat) => seat.role === role)
    const others = this.#seats.filter((seat) => seat.role !== role)
    const kept = own.slice(0, count)
    const taken = new Set([...kept, ...others].map(({ id }) => id))
    for (let id = 1; kept.length < count; id += 1) {
      if (!taken.has(id)) kept.push({ id, role })
    }
    this.#seats = [...kept, ...others].sort((a, b) => a.id - b.id)
  }
}
