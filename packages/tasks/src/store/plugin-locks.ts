// The locks of node-resque's plugins: read, removed, taken for a job that runs, freed by their holder alone.
import { literal, scan } from 'fastify-ah-kit/redis'
import type { Scope } from '../scope.ts'
import { freeLock } from '../scripts/free-lock.ts'
import { takeLock } from '../scripts/take-lock.ts'

export class PluginLocks {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Name (`lock:…`, `workerslock:…`) → value. Looks through the whole database. */
  async all(): Promise<Record<string, string>> {
    const { connection, keys } = this.#scope
    const found: Record<string, string> = {}
    for (const kind of ['lock:', 'workerslock:']) {
      for await (const page of scan(connection, { match: `${literal(keys.root + kind)}*` })) {
        if (page.length === 0) continue
        const values = await Promise.all(page.map((key) => connection.read<string | null>('GET', [key])))
        for (const [index, key] of page.entries()) {
          const value = values[index]
          if (typeof value === 'string') found[key.slice(keys.root.length)] = value
        }
      }
    }
    return found
  }

  /** Answers how many there were (0 or 1). */
  remove(name: string): Promise<number> {
    const { connection, keys } = this.#scope
    return connection.write<number>('DEL', [keys.root + name])
  }

  /** Takes a lock for a claim of this process, or keeps it for another `ms`; whether it is ours. `endSecond` is when it ends at the latest. */
  async take(name: string, claim: number, endSecond: number, ms: number): Promise<boolean> {
    const { connection, keys, bootId } = this.#scope
    const words = [`${endSecond} ${bootId} ${claim}`, ms]
    return (await connection.run<number>(takeLock, [keys.root + name, keys.processors], words)) === 1
  }

  /** Frees what {@link take} took; somebody else's lock stays. */
  async free(name: string, claim: number): Promise<void> {
    const { connection, keys, bootId } = this.#scope
    await connection.run(freeLock, [keys.root + name], [` ${bootId} ${claim}`])
  }

  /** Frees the lock that was taken when a job was enqueued; without an id it was a program of Resque's that took it. */
  async freeQueued(name: string, id: string | undefined): Promise<void> {
    const { connection, keys } = this.#scope
    await connection.run(freeLock, [keys.root + name], [id === undefined ? '' : ` ${id}`])
  }
}
