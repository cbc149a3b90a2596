// One release of the app as the cluster runs it: has it ever served, and is it worth trying again?

import { appFailure } from './app-failure.ts'
import { AH_CLUSTER_APP_FAILED, AH_CLUSTER_NOT_READY } from './errors.ts'
import type { WorkerExit } from './worker-events.ts'

/** How many workers in a row may end before they serve although their role has served, or be killed from outside. */
const PATIENCE = 3

/**
 * While a release is on trial the first error of the app's own ends it: what throws at boot throws again. A role that
 * has served is proven: that the next worker of it could not start may be chance, three in a row are none. Once every
 * seat has had a worker that served, the release is settled and deaths are the restart policy's matter.
 *
 * | state | moves to | when |
 * |---|---|---|
 * | on trial | settled | every seat has a worker of it that serves |
 * | on trial | failed | a worker of an unproven role says why it cannot start, ends by itself, or is not ready in time |
 * | on trial | failed | {@link PATIENCE} workers in a row ended before they served, in whatever way |
 */
export class Generation {
  readonly number: number
  readonly #proven = new Set<string | undefined>()
  #inARow = 0
  #isSettled = false
  #failure: Error | undefined

  constructor(number: number) {
    this.number = number
  }

  /** Whether any worker of it has served. */
  get isProven(): boolean {
    return this.#proven.size > 0 || this.#isSettled
  }

  /** Whether its trial is over, and well. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Why it was given up; undefined while it is not. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Whether a worker of this role has served. */
  hasProven(role: string | undefined): boolean {
    return this.#isSettled || this.#proven.has(role)
  }

  /** A worker of this role serves. */
  served(role: string | undefined): void {
    this.#proven.add(role)
    this.#inARow = 0
  }

  /** Every seat has a worker that serves, or there is nothing to fall back to. */
  settle(): void {
    this.#isSettled = true
  }

  /** No worker of it can be started at all. */
  giveUp(error: Error): void {
    if (!this.#isSettled) this.#failure ??= error
  }

  /** A worker of this role ended before it served. */
  bootDeath(role: string | undefined, exit: WorkerExit): void {
    this.#inARow += 1
    // Also by a SIGTERM that reached the whole group: it then says that it stopped.
    const isKilledFromOutside =
      exit.error === undefined && (exit.reason === 'stopped' || (exit.reason === 'crashed' && exit.signal !== null))
    const isChance = isKilledFromOutside || this.#proven.has(role)
    if (!isChance || this.#inARow >= PATIENCE) this.giveUp(failureOf(exit))
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
