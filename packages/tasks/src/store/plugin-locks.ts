// Reads and removes the locks of node-resque's plugins.
import { literal, scan } from 'fastify-ah-kit/redis'
import type { Scope } from '../scope.ts'

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
}
