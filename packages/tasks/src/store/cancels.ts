// The ids that are not to run.

import type { Scope } from '../scope.ts'
import { cancelJob } from '../scripts/cancel-job.ts'

// For how long an id is kept that no processor has met.
const keepMs = 86_400_000
// Most ids that a process keeps in mind.
const most = 10_000

export class Cancels {
  readonly #scope: Scope
  #ids = new Set<string>()
  // What was heard since Redis was last asked: the answer that is on its way may not have it yet.
  #heard: string[] = []
  /** There are more than are kept in mind: any id may be one of them. */
  #isPartial = false

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Whether the job may not be to run, by what this process has heard: {@link isMeant} knows. */
  mayMean(id: string): boolean {
    return this.#isPartial || this.#ids.has(id)
  }

  /** Whether the job is not to run, by Redis: what was heard may be of an earlier job with this id, which is settled. */
  async isMeant(id: string): Promise<boolean> {
    const { connection, keys } = this.#scope
    const isMeant = (await connection.read<string | number | null>('ZSCORE', [keys.cancelled, id])) !== null
    if (!isMeant) this.#ids.delete(id)
    return isMeant
  }

  /** Another process said so. */
  note(id: string): void {
    this.#ids.add(id)
    this.#heard.push(id)
  }

  /** Asks Redis: what was said while this process did not listen, or is settled by now. Answers the newest. */
  async refresh(): Promise<ReadonlySet<string>> {
    const { connection, keys } = this.#scope
    this.#heard = []
    const ids = new Set(await connection.read<string[]>('ZREVRANGE', [keys.cancelled, 0, most - 1]))
    this.#ids = new Set([...ids, ...this.#heard])
    this.#isPartial = ids.size === most
    return ids
  }

  /** False if it is known to be finished, other than by being cancelled. */
  async cancel(id: string): Promise<boolean> {
    const { connection, keys, trackMs } = this.#scope
    const touched = [keys.scheduled, keys.scheduledJobs, keys.cancelled, keys.processors, keys.track(id)]
    return (await connection.run<number>(cancelJob, touched, [keys.root, id, trackMs, keepMs])) > 0
  }
}
