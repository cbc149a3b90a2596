// The state "parked": jobs that wait for a slot of their concurrency key.

import type { Scope } from '../scope.ts'
import { unparkJobs } from '../scripts/unpark-jobs.ts'

// Most keys that are looked at in one round, about.
const page = 100
// A job that was brought back is claimed within a moment; one that was not for so long is not waited for.
const stillMs = 5_000

export class ParkedJobs {
  readonly #scope: Scope
  #cursor = '0'

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Looks after the next few concurrency keys that have parked jobs; answers how many jobs were brought back. */
  async round(): Promise<number> {
    const { connection, keys } = this.#scope
    const found = await connection.read<[string, string[]]>('HSCAN', [keys.limits, this.#cursor, 'COUNT', page])
    this.#cursor = String(found[0])
    const names = found[1].filter((_, index) => index % 2 === 0)
    if (names.length === 0) return 0
    return connection.run<number>(unparkJobs, [keys.limits], [keys.root, stillMs, ...names])
  }
}
