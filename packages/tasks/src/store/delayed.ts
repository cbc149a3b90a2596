// The states "delayed" (Resque's lists of seconds) and "scheduled" (ours, to the millisecond): what is due moves on.

import type { Scope } from '../scope.ts'
import { promoteJobs } from '../scripts/promote-jobs.ts'

// Most jobs that one script moves.
const batch = 500
// Where a payload goes whose queue cannot be read: its worker fails it, with its bytes.
const fallbackQueue = 'default'

export class Delayed {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /**
   * Moves a batch of what is due. `nextMs`: until the next is, 0 if more are due now; undefined if nothing is planned.
   * `seconds`: those of Resque's lists that were worked.
   */
  async promote(): Promise<{
    readonly moved: number
    readonly nextMs: number | undefined
    readonly seconds: readonly string[]
  }> {
    const { connection, keys, workerName, reminder } = this.#scope
    const touched = [keys.leader, keys.scheduled, keys.scheduledJobs, keys.delayedSchedule]
    const words = [keys.root, workerName, batch, fallbackQueue]
    const answer = await connection.run<[number, string, string[], string[]]>(promoteJobs, touched, words)
    const [moved, wait, seconds, queues] = answer
    reminder.noteQueues(queues)
    const nextMs = Number(wait)
    return { moved, nextMs: nextMs < 0 ? undefined : nextMs, seconds }
  }
}
