// The processes that work: leases, registrations as Resque workers, signs of life.

import type { Scope } from '../scope.ts'
import { beatProcessor } from '../scripts/beat-processor.ts'
import { leaveProcessors } from '../scripts/leave-processors.ts'

/** A recurring job that runs here. */
export interface OpenTick {
  readonly task: string
  readonly at: number
}

export class Processors {
  readonly #scope: Scope
  readonly #fullName: string
  readonly #queues: string

  /** `queues` as Resque lists them: `*`, or names with commas between. */
  constructor(scope: Scope, queues: string) {
    this.#scope = scope
    this.#queues = queues
    this.#fullName = `${scope.workerName}:${queues}`
  }

  /** A sign of life; answers the numbers of the claims that this process still has. */
  async beat(working: string, ticks: readonly OpenTick[]): Promise<Set<number>> {
    const { connection, keys, bootId, leaseMs } = this.#scope
    const touched = [
      keys.beat,
      keys.processors,
      keys.registrations,
      keys.workers,
      keys.worker(this.#fullName),
      keys.claims(bootId),
      keys.openTicks,
    ]
    const words = ticks.flatMap(({ task, at }) => [task, at, leaseMs * 2])
    const fields = await connection.run<string[]>(beatProcessor, touched, [
      bootId,
      leaseMs,
      this.#fullName,
      working,
      ...words,
    ])
    return new Set(fields.map(Number))
  }

  /** Off all lists; what is still claimed waits for the end of the lease. */
  async leave(): Promise<void> {
    const { connection, keys, bootId } = this.#scope
    const touched = [
      keys.processors,
      keys.registrations,
      keys.workers,
      keys.worker(this.#fullName),
      keys.claims(bootId),
      keys.holds(bootId),
      keys.mail(bootId),
    ]
    await connection.run(leaveProcessors, touched, [keys.root, bootId, this.#fullName, this.#queues])
  }
}
