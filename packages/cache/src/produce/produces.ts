// Values that are produced when they are missing: `getOrSet`.
import { decodeEntry, type Entry, isStale } from '../entry.ts'
import { AH_CACHE_LOCKED, AH_CACHE_OPTIONS, AH_CACHE_PRODUCE_TIMEOUT } from '../errors.ts'
import { checkKey } from '../key.ts'
import { deepFreeze } from '../local/deep-freeze.ts'
import type { Reads } from '../reads.ts'
import type { Scope } from '../scope.ts'
import { shown } from '../shown.ts'
import type { ProduceOptions, Producer } from '../types.ts'
import { Flight, type FlightInput } from './flight.ts'
import { type ProducePlan, producePlanOf } from './produce-plan.ts'
import type { Landing, SharedFlight } from './shared-flight.ts'

/** One producer in the whole cluster at a time; in one process all callers share its outcome. */
export class Produces {
  readonly #scope: Scope
  readonly #reads: Reads

  constructor(scope: Scope, reads: Reads) {
    this.#scope = scope
    this.#reads = reads
  }

  async getOrSet<T>(name: string, options: ProduceOptions, produce: Producer<T>): Promise<T> {
    checkKey(name)
    const plan = producePlanOf(options, this.#scope.lockMs)
    if (typeof produce !== 'function') {
      throw new AH_CACHE_OPTIONS(`getOrSet: expected a function that produces the value, got ${shown(produce)}`)
    }
    const waitUntil = performance.now() + plan.waitMs
    for (;;) {
      try {
        return (await this.#find(name, plan, Math.max(0, waitUntil - performance.now()), produce)) as T
      } catch (error) {
        // Locked since it was looked at: waited for like a lock that was there from the beginning.
        if (!(error instanceof AH_CACHE_LOCKED) || performance.now() >= waitUntil) throw error
      }
    }
  }

  async #find(name: string, plan: ProducePlan, waitMs: number, produce: Producer<unknown>): Promise<unknown> {
    const { counts } = this.#scope
    const entry = await this.#reads.peek(name, waitMs)
    if (entry !== undefined && !isStale(entry)) {
      counts.hits += 1
      if (isEarly(entry, plan)) this.#refresh(name, entry, plan, produce)
      return entry.value
    }
    if (entry !== undefined && isWithin(entry, plan.staleMs)) {
      counts.staleServed += 1
      this.#refresh(name, entry, plan, produce)
      return entry.value
    }
    counts.misses += 1
    try {
      return await this.#await(name, plan, produce)
    } catch (error) {
      if (error instanceof AH_CACHE_LOCKED || entry === undefined || !isWithin(entry, plan.staleIfErrorMs)) throw error
      counts.staleServed += 1
      return entry.value
    }
  }

  async #await(name: string, plan: ProducePlan, produce: Producer<unknown>): Promise<unknown> {
    const deadline = performance.now() + plan.timeoutMs
    const late = (): Error => new AH_CACHE_PRODUCE_TIMEOUT(shown(name), plan.timeoutMs)
    let hasWaited = false
    try {
      for (;;) {
        const joined = this.#flights.get(this.#idOf(name))
        const flight = joined ?? this.#start({ name, plan, produce, deadline })
        const landing = await (joined === undefined ? flight.landed : join(joined, deadline, late)).finally(() => {
          hasWaited ||= joined !== undefined || !flight.isOurs
        })
        const entry = landing && (decodeEntry(landing.bytes) as Entry)
        // What began before this call may have been overtaken since: what others find by now, this call must find too.
        const isOver = joined !== undefined && !landing?.isStored
        if (entry !== undefined && !isOver && (joined === undefined || (await this.#reads.hasCurrentTags(entry)))) {
          // Each caller gets a value of its own.
          return this.#scope.local === undefined ? entry.value : deepFreeze(entry.value)
        }
        if (performance.now() >= deadline) throw late()
      }
    } finally {
      if (hasWaited) this.#scope.counts.waited += 1
    }
  }

  get #flights(): Map<string, SharedFlight> {
    return this.#scope.flights
  }

  /** What one owner wants may be locked for another. The length says where the key ends: both may hold anything. */
  #idOf(name: string): string {
    const value = this.#scope.keys.value(name)
    return `${value.length} ${value} ${this.#scope.owner}`
  }

  #start(input: Omit<FlightInput, 'scope' | 'areTagsCurrent'>): Flight {
    const id = this.#idOf(input.name)
    const areTagsCurrent = (entry: Entry): boolean | Promise<boolean> => this.#reads.hasCurrentTags(entry)
    const flight = new Flight({ scope: this.#scope, areTagsCurrent, ...input })
    this.#flights.set(id, flight)
    const forget = (): void => {
      this.#flights.delete(id)
      if (flight.isOurs && input.below !== undefined) this.#scope.counts.refreshed += 1
    }
    flight.landed.then(forget, forget)
    return flight
  }

  /** In the background; how that goes concerns nobody but those who find the value gone later, and the counters. */
  #refresh(name: string, entry: Entry, plan: ProducePlan, produce: Producer<unknown>): void {
    if (this.#flights.has(this.#idOf(name))) return
    const { staleAt = 0, expiresAt = 0 } = entry
    const [deadline, below] = [performance.now() + plan.timeoutMs, expiresAt - staleAt + plan.earlyMs]
    this.#start({ name, plan, produce, deadline, below })
  }
}

/** Whether it is time to refresh what is not old yet: the nearer its end, the more likely. */
function isEarly({ staleAt }: Entry, { earlyMs }: ProducePlan): boolean {
  return staleAt !== undefined && earlyMs > 0 && Date.now() >= staleAt - earlyMs * Math.random()
}

/** Whether it grew old no longer ago than this. */
function isWithin({ staleAt = 0 }: Entry, ms: number): boolean {
  return ms > 0 && Date.now() < staleAt + ms
}

/**
 * What another call's flight brings; undefined where the caller has to go itself: the flight failed before the caller
 * came, or was given up because the time of its own caller was over.
 */
async function join(flight: SharedFlight, deadline: number, late: () => Error): Promise<Landing | undefined> {
  const { hasFailed } = flight
  try {
    return await within(deadline - performance.now(), flight.landed, late)
  } catch (error) {
    if (performance.now() < deadline && (hasFailed || flight.hasGivenUp)) return undefined
    throw error
  }
}

function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), Math.min(Math.max(0, ms), 2 ** 31 - 1))
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
