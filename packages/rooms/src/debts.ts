// Leaves of which Redis does not know yet.

/** One leave: of a connection, as long as it does not come back. */
export type Debt = object

/** By room and id of the connection. Each is paid, or forgiven to who has joined again meanwhile. */
export class Debts {
  readonly #rooms = new Map<string, Map<string, Debt>>()

  get size(): number {
    return this.#rooms.size
  }

  get all(): readonly (readonly [room: string, ids: ReadonlyMap<string, Debt>])[] {
    return [...this.#rooms]
  }

  owe(room: string, id: string): Debt {
    const debt = {}
    const debts = this.#rooms.get(room)
    if (debts === undefined) this.#rooms.set(room, new Map([[id, debt]]))
    else debts.set(id, debt)
    return debt
  }

  /** False if that one is not owed any more. */
  pay(room: string, id: string, debt: Debt): boolean {
    return this.#rooms.get(room)?.get(id) === debt && this.forgive(room, id)
  }

  /** False if nothing was owed. */
  forgive(room: string, id: string): boolean {
    const debts = this.#rooms.get(room)
    if (debts?.delete(id) !== true) return false
    if (debts.size === 0) this.#rooms.delete(room)
    return true
  }
}
