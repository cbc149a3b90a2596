// One release of the app as the cluster runs it: has it ever served, and is it worth trying again?

import { appFailure } from './app-failure.ts'
import { AH_CLUSTER_APP_FAILED, AH_CLUSTER_NOT_READY } from './errors.ts'
import type { WorkerExit } from './worker-events.ts'

/** How often a worker may be taken from outside (SIGKILL, no memory to fork) before a release that never served is given up. */
const PATIENCE = 3

/**
 * A release is proven once one of its workers has served; from then on deaths are the restart policy's matter. Until
 * then one worker at a time is tried, and the first error of the app's own ends it: what throws at boot throws again.
 *
 * | state | moves to | when |
 * |---|---|---|
 * | unproven | proven | a worker of it serves |
 * | unproven | failed | a worker says why it cannot start, or ends by itself, or is not ready in time |
 * | unproven | failed | {@link PATIENCE} workers in a row were killed from outside |
 */
export class Generation {
  readonly number: number
  #isProven = false
  #killed = 0
  #failure: Error | undefined

  constructor(number: number) {
    this.number = number
  }

  get isProven(): boolean {
    return this.#isProven
  }

  /** Why it was given up; undefined while it is not. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** A worker of it serves. */
  prove(): void {
    this.#isProven = true
  }

  /** No worker of it can be started at all. */
  giveUp(error: Error): void {
    if (!this.#isProven) this.#failure ??= error
  }

  /** A worker of it ended before it served. */
  bootDeath(exit: WorkerExit): void {
    if (this.#isProven || this.#failure !== undefined) return
    // Also by a SIGTERM that reached the whole group: it then says that it stopped.
    const isKilledFromOutside =
      exit.error === undefined && (exit.reason === 'stopped' || (exit.reason === 'crashed' && exit.signal !== null))
    if (isKilledFromOutside) this.#killed += 1
    if (!isKilledFromOutside || this.#killed >= PATIENCE) this.#failure = failureOf(exit)
  }
}

function failureOf(exit: WorkerExit): Error {
  const { app, error, readyMs } = exit
  if (exit.reason === 'not-ready') {
    return new AH_CLUSTER_NOT_READY(`${app} was not ready within ${readyMs} ms (--ready-ms)`)
  }
  if (error !== undefined) return appFailure(app, error)
  return new AH_CLUSTER_APP_FAILED(`${app} could not be started: ${describeEnd(exit)}`)
}

function describeEnd({ code, signal }: WorkerExit): string {
  return signal === null
    ? `its process ended by itself with exit code ${code}`
    : `its process was ended by ${signal}${signal === 'SIGKILL' ? ' (out of memory?)' : ''}`
}
