// The way of single keys to Redis: what is asked in one tick leaves together, in an order that nobody can tell from that
// of the calls.
import type { RedisConnection, Script } from 'fastify-ah-kit/redis'
import type { Pair, Read, Renewal, Save } from './asked.ts'
import { Lane } from './lane.ts'
import type { KeyHeads } from './tick-send.ts'

/**
 * One lane per master, so that a master that is slow or gone holds up nobody else's answers. Within a lane Redis sees
 * what one connection sends, in that order; what leaves by `run` has the lane sent first.
 */
export class Traffic {
  readonly #connection: RedisConnection
  readonly #heads: KeyHeads
  readonly #lanes = new Map<string, Lane>()

  constructor(connection: RedisConnection, { valuePrefix, lockPrefix }: KeyHeads) {
    this.#connection = connection
    this.#heads = { valuePrefix, lockPrefix }
  }

  read(value: string, lock: string): Promise<Pair> {
    const item: Read = { kind: 'read', value, lock }
    return this.#lane(value).add(item) as Promise<Pair>
  }

  renew(item: Omit<Renewal, 'kind'>): Promise<Pair> {
    return this.#lane(item.value).add({ kind: 'renewal', ...item }) as Promise<Pair>
  }

  save(item: Omit<Save, 'kind'>): Promise<number> {
    return this.#lane(item.value).add({ kind: 'save', ...item }) as Promise<number>
  }

  /** A script on the keys of one name, behind everything that was asked of it before. */
  run<T>(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<T> {
    this.flush(keys[0] as string)
    return this.#connection.run<T>(script, keys, args)
  }

  /** Sends what waits to be asked of the key's master: for what leaves by another way. */
  flush(key: string): void {
    this.#lanes.get(this.#connection.masterOf(key))?.flush()
  }

  /** Likewise, of all keys. */
  flushAll(): void {
    for (const lane of this.#lanes.values()) lane.flush()
  }

  /** When the saves of the key that were asked for so far are answered; undefined if there are none. */
  savesOf(key: string): Promise<PromiseSettledResult<unknown>[]> | undefined {
    this.flush(key)
    // In all lanes: the key's slot may have moved meanwhile.
    const saves = [...this.#lanes.values()].flatMap((lane) => lane.savesOf(key))
    return saves.length === 0 ? undefined : Promise.allSettled(saves)
  }

  #lane(key: string): Lane {
    const master = this.#connection.masterOf(key)
    let lane = this.#lanes.get(master)
    if (lane === undefined) {
      lane = new Lane(this.#connection, master, this.#heads)
      this.#lanes.set(master, lane)
    }
    return lane
  }
}
