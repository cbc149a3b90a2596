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
import type { Landing, SharedFlight } from './shared-flight.ts'

/** Between two looks at another's run, in ms: soon at first, since most runs are short. */
const firstPauseMs = 10
const longestPauseMs = 100

/** What a flight needs of those who started it. */
export interface FlightInput {
  readonly scope: Scope
  readonly name: string
  readonly plan: ProducePlan
  readonly produce: Producer<unknown>
  /** When the time of the call that began it is over, on the monotonic clock. */
  readonly deadline: number
  readonly areTagsCurrent: (entry: Entry) => boolean | Promise<boolean>
  /** See the script: present for a flight that only refreshes, and gives up if somebody else does. */
  readonly below?: number | undefined
}

/** Claims, runs, or waits and looks again. */
export class Flight implements SharedFlight {
  readonly #input: FlightInput
  readonly #lease: Lease
  #isOurs = false
  #hasFailed = false
  #hasGivenUp = false
  readonly landed: Promise<Landing | undefined>

  constructor(input: FlightInput) {
    this.#input = input
    this.#lease = new Lease(input.scope, input.name)
    this.landed = this.#fly()
  }

  get isOurs(): boolean {
    return this.#isOurs
  }

  get hasFailed(): boolean {
    return this.#hasFailed
  }

  get hasGivenUp(): boolean {
    return this.#hasGivenUp
  }

  async #fly(): Promise<Landing | undefined> {
    const { scope, name, plan, produce, deadline, below } = this.#input
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
          if (await this.#isUsable(claim)) return { bytes: claim[1], isStored: true }
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
      // Spread, so that those who wait do not all ask in the same instant.
      await sleep(Math.min(pauseMs * (0.5 + Math.random()), Math.max(0, deadline - performance.now())))
      if (performance.now() >= deadline) {
        this.#hasGivenUp = true
        throw new AH_CACHE_PRODUCE_TIMEOUT(shown(name), plan.timeoutMs)
      }
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
