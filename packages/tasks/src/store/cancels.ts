// The ids that are not to run.

import type { Scope } from '../scope.ts'
import { cancelJob } from '../scripts/cancel-job.ts'

// For how long an id is kept that no processor has met.
const keepMs = 86_400_000
// Most ids that a process keeps in mind.
const most = 10_000

export class Cancels {
  readonly #scope: Scope
  #ids: ReadonlySet<string> = new Set()

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Whether the job is not to run, by what this process has heard. */
  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** Another process said so. */
  note(id: string): void {
    this.#ids = new Set([...this.#ids, id])
  }

  /** Asks Redis: what was said while this process did not listen, or is settled by now. Answers all. */
  async refresh(): Promise<ReadonlySet<string>> {
    const { connection, keys } = this.#scope
    const ids = await connection.read<string[]>('ZREVRANGE', [keys.cancelled, 0, most - 1])
    this.#ids = new Set(ids)
    return this.#ids
  }

  /** False if it is known to be finished, other than by being cancelled. */
  async cancel(id: string): Promise<boolean> {
    const { connection, keys, trackMs } = this.#scope
    const touched = [keys.scheduled, keys.scheduledJobs, keys.cancelled, keys.processors, keys.track(id)]
    return (await connection.run<number>(cancelJob, touched, [keys.root, id, trackMs, keepMs])) > 0
  }
}
