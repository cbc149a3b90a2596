// When a worker that died is replaced: at once as a rule, later and later while deaths go on.

/** How patient the policy is; in ms. */
export interface RestartPolicyOptions {
  /** First wait after a death at boot or while deaths come thick and fast; doubled with each further one. */
  readonly minWaitMs?: number
  /** Longest wait after deaths at boot. */
  readonly maxWaitMs?: number
  /** Longest wait after deaths of workers that had served: the next one may serve as well. */
  readonly maxFlapWaitMs?: number
  /** Deaths of this last span count as thick and fast … */
  readonly windowMs?: number
  /** … if there are more than this many for each seat. */
  readonly deathsPerSeat?: number
}

/**
 * One for the whole cluster, not one a seat: what kills workers at boot (a database that is down, a bad release) is
 * seldom a matter of the seat, and N seats that try alone would try N times as often.
 *
 * - A worker that had served is replaced at once; more than `deathsPerSeat` × seats deaths within `windowMs`
 *   (a request that kills every worker it reaches) turn the wait on, up to `maxFlapWaitMs`.
 * - One that died at boot is replaced after `minWaitMs`, doubled with each death in a row up to `maxWaitMs`; meanwhile
 *   one worker at a time is tried. A worker that comes up ends the row.
 */
export class RestartPolicy {
  readonly #seats: () => number
  readonly #options: Required<RestartPolicyOptions>
  #deaths: number[] = []
  #inARow = 0
  #notBefore = Number.NEGATIVE_INFINITY

  /** `seats`: the number of workers that are wanted at the time. */
  constructor(seats: () => number, options: RestartPolicyOptions = {}) {
    this.#seats = seats
    this.#options = {
      minWaitMs: 100,
      maxWaitMs: 10_000,
      maxFlapWaitMs: 1_000,
      windowMs: 30_000,
      deathsPerSeat: 3,
      ...options,
    }
  }

  /** Deaths at boot since a worker last came up. */
  get bootDeaths(): number {
    return this.#inARow
  }

  /** Whether, at `now`, deaths have come thick and fast. */
  isFlapping(now: number): boolean {
    const { windowMs, deathsPerSeat } = this.#options
    return this.#deaths.filter((at) => now - at < windowMs).length > deathsPerSeat * Math.max(1, this.#seats())
  }

  /** Whether workers are tried one at a time. */
  get isCautious(): boolean {
    return this.#inARow > 0
  }

  /** A worker died at `now` (monotonic ms). */
  died(wasReady: boolean, now: number): void {
    const { minWaitMs, maxWaitMs, maxFlapWaitMs, windowMs, deathsPerSeat } = this.#options
    this.#deaths = this.#deaths.filter((at) => now - at < windowMs)
    this.#deaths.push(now)
    const excess = this.#deaths.length - deathsPerSeat * this.#seats()
    if (!wasReady) this.#inARow += 1
    const steps = wasReady ? excess : this.#inARow
    const most = wasReady ? maxFlapWaitMs : maxWaitMs
    if (steps > 0) this.#notBefore = now + Math.min(most, minWaitMs * 2 ** (steps - 1))
  }

  /** A worker came up. */
  cameUp(): void {
    this.#inARow = 0
  }

  /** How long to wait at `now` before the next start; 0: at once. */
  waitMs(now: number): number {
    return Math.max(0, this.#notBefore - now)
  }
}
