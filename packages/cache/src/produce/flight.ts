// The way to a value that is not there: by a run of ours, or by waiting for that of another process.
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeEntry, type Entry } from '../entry.ts'
import { AH_CACHE_LOCKED, AH_CACHE_PRODUCE_TIMEOUT } from '../errors.ts'
import type { Scope } from '../scope.ts'
import { shown } from '../shown.ts'
import type { Producer } from '../types.ts'
import { type Claim, Lease } from './lease.ts'
import type { ProducePlan } from './produce-plan.ts'
import { errorFrom } from './remote-error.ts'
import { runProducer } from './run.ts'
import type { SharedFlight } from './shared-flight.ts'

/** Between two looks at another's run, in ms: soon at first, since most runs are short. */
const firstPauseMs = 10
const longestPauseMs = 100

/** What a flight needs of those who started it. */
export interface FlightInput {
  readonly scope: Scope
  readonly name: string
  readonly plan: ProducePlan
  readonly produce: Producer<unknown>
  readonly areTagsCurrent: (entry: Entry) => boolean | Promise<boolean>
  /** See the script: present for a flight that only refreshes, and gives up if somebody else does. */
  readonly below?: number | undefined
}

/** Claims, runs, or waits and looks again. */
export class Flight implements SharedFlight {
  readonly #input: FlightInput
  readonly #lease: Lease
  #until = performance.now()
  #isOurs = false
  #hasFailed = false
  readonly landed: Promise<string | undefined>

  constructor(input: FlightInput) {
    this.#input = input
    this.#lease = new Lease(input.scope, input.name)
    this.#until += input.plan.timeoutMs
    this.landed = this.#fly()
  }

  get isOurs(): boolean {
    return this.#isOurs
  }

  get hasFailed(): boolean {
    return this.#hasFailed
  }

  extend(ms: number): void {
    this.#until = Math.max(this.#until, performance.now() + ms)
  }

  async #fly(): Promise<string | undefined> {
    const { scope, name, plan, produce, below } = this.#input
    // Of the caller who began it; others may wait for longer, but not for its run.
    const deadline = this.#until
    let [seen, waited] = ['', '']
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const claim = await this.#lease.claim({ below, seen, waited })
      switch (claim[0]) {
        case 'claimed':
          this.#isOurs = true
          return runProducer({ scope, lease: this.#lease, name, plan, produce, deadline }, () => {
            this.#hasFailed = true
          })
        case 'found':
          if (await this.#isUsable(claim)) return claim[1]
          seen = claim[2]
          continue
        case 'locked':
          throw new AH_CACHE_LOCKED(shown(name))
        case 'failed':
          if (below !== undefined) return undefined
          throw errorFrom(claim[1])
        case 'fresh':
          return undefined
        case 'busy':
          if (below !== undefined) return undefined
          waited = claim[1]
      }
      if (performance.now() >= this.#until) throw new AH_CACHE_PRODUCE_TIMEOUT(shown(name), plan.timeoutMs)
      // Spread, so that those who wait do not all ask in the same instant.
      await sleep(pauseMs * (0.5 + Math.random()))
    }
  }

  /** By the time that Redis says it has left: a wrong clock here would have it produced again and again. */
  async #isUsable([, bytes, , left]: Extract<Claim, ['found', ...unknown[]]>): Promise<boolean> {
    const entry = decodeEntry(bytes)
    if (entry === undefined) {
      this.#input.scope.counts.unreadable += 1
      return false
    }
    const { staleAt, expiresAt } = entry
    if (left >= 0 && staleAt !== undefined && expiresAt !== undefined && left <= expiresAt - staleAt) return false
    return this.#input.areTagsCurrent(entry)
  }
}
