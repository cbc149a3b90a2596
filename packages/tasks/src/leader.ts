// Leads: holds Resque's own lock of the one who schedules, so that other programs' schedulers stay passive.
import { createHash } from 'node:crypto'
import type { Definition } from './definition.ts'
import type { Scope } from './scope.ts'
import { lead } from './scripts/lead.ts'
import { stopLeading } from './scripts/stop-leading.ts'

/** How long the lock lasts without renewal, in ms. */
const leaderLockMs = 10_000
// A release of which nobody was seen for so long is gone.
const absentMs = 3 * leaderLockMs

/** Who leads: this process, a program that is none of ours, or another of ours. */
export type Lead = 'mine' | 'foreign' | 'theirs'

export class Leader {
  readonly #scope: Scope
  readonly #fingerprint: string

  /** `definitions`: what this release plans; releases that plan the same are one. */
  constructor(scope: Scope, definitions: readonly Definition[]) {
    this.#scope = scope
    const planned = definitions
      .filter(({ frequencyMs, cron }) => frequencyMs !== undefined || cron !== undefined)
      .map(({ name, queue, frequencyMs, cron, timezone }) => [name, queue, frequencyMs, cron, timezone])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
    this.#fingerprint = createHash('sha1').update(JSON.stringify(planned)).digest('hex')
  }

  /** Tries to become or stay it; `retryMs`: when to try again. */
  async lead(): Promise<{ readonly lead: Lead; readonly retryMs: number }> {
    const { connection, keys, workerName } = this.#scope
    const words = [workerName, leaderLockMs, this.#fingerprint, absentMs]
    const [answer, ms] = await connection.run<[number, number]>(lead, [keys.leader, keys.releases], words)
    if (answer === 1) return { lead: 'mine', retryMs: leaderLockMs / 3 }
    // Right when the lock may be free, and often enough to be counted as a release that lives.
    return { lead: answer === 2 ? 'foreign' : 'theirs', retryMs: Math.min(Math.max(ms, 0) + 20, leaderLockMs / 3) }
  }

  /** Lets another lead. */
  async stop(): Promise<void> {
    const { connection, keys, workerName } = this.#scope
    await connection.run(stopLeading, [keys.leader], [workerName])
  }
}
