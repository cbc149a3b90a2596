// The releases of the app: the one that workers run, the one that a reload tries, and the reload that waits its turn.
import { AH_CLUSTER_RELOAD_FAILED } from './errors.ts'
import { Generation } from './generation.ts'
import { Reload } from './reload.ts'
import type { WorkerExit } from './worker-events.ts'

/** Which generation the next worker gets, and how the reloads go. Each attempt takes a number, failed ones too. */
export class Releases {
  #current = new Generation(1)
  #last = 1
  #reload: Reload | undefined
  #queued: Reload | undefined

  /** The one that serves, or is to serve first. */
  get current(): Generation {
    return this.#current
  }

  /** The one that the next worker runs: whatever lies on the disk is tried under the number of the running reload. */
  get newest(): Generation {
    return this.#reload?.generation ?? this.#current
  }

  /** The reload that runs, if one does. */
  get reload(): Reload | undefined {
    return this.#reload
  }

  /** Why the first release was given up, with nothing to fall back to; undefined while it was not. */
  get failure(): Error | undefined {
    const hasNothingBehind = this.#reload === undefined && !this.#current.isSettled
    return hasNothingBehind ? this.#current.failure : undefined
  }

  /**
   * Begins a reload, or queues one: behind the one that runs, or until the release that boots has settled. Wishes that
   * come while one waits are one wish.
   */
  request(): Reload {
    if (this.#reload !== undefined || !this.#current.isSettled) {
      this.#queued ??= new Reload(this.#last + 1)
      return this.#queued
    }
    return this.#begin(new Reload(this.#last + 1))
  }

  /**
   * Whatever lies on the disk is next, without a trial if one has settled before: the old workers go first, so there is
   * nothing to fall back to. Answers the reload that ends with it.
   */
  restart(): Reload | undefined {
    const cancelled = this.cancel('the cluster was restarted')
    const { isSettled } = this.#current
    this.#last += 1
    this.#current = new Generation(this.#last)
    if (isSettled) this.#current.settle()
    return cancelled
  }

  /** A worker of this generation and role serves. */
  served(number: number, role: string | undefined): void {
    const { newest } = this
    if (number === this.#current.number) this.#current.served(role)
    if (number !== newest.number || newest === this.#current) return
    newest.served(role)
    // From now on it is the one that fills the seats of those that die.
    this.#current = newest
  }

  /** A worker of this generation and role ended before it served. */
  bootDeath(number: number, role: string | undefined, exit: WorkerExit): void {
    if (this.newest.number === number) this.newest.bootDeath(role, exit)
  }

  /** Every seat has a worker of the newest release that serves. */
  settle(): void {
    this.#current = this.newest
    this.#current.settle()
    if (this.#reload !== undefined) this.finish()
    else this.#next()
  }

  /** Ends the reload that runs, well or not; the one that waits begins. */
  finish(error?: Error): void {
    const ended = this.#reload
    this.#reload = undefined
    // Half of it may run already, and serves as well as the other half.
    this.#current.settle()
    ended?.end(error)
    this.#next()
  }

  /** Gives up what runs and what waits; answers what ran. */
  cancel(why: string): Reload | undefined {
    const [running, waiting] = [this.#reload, this.#queued]
    this.#reload = undefined
    this.#queued = undefined
    for (const reload of [running, waiting]) reload?.end(new AH_CLUSTER_RELOAD_FAILED(why))
    return running
  }

  #next(): void {
    const next = this.#queued
    this.#queued = undefined
    if (next !== undefined) this.#begin(next)
  }

  #begin(reload: Reload): Reload {
    this.#last = reload.generation.number
    this.#reload = reload
    return reload
  }
}
