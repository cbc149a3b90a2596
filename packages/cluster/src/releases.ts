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

  /** Why the first release was given up before it ever served; undefined while it was not. */
  get failure(): Error | undefined {
    return this.#current.failure
  }

  /** Begins a reload, or queues one behind the one that runs; wishes that come while one waits are one wish. */
  request(): Reload {
    if (this.#reload !== undefined) {
      this.#queued ??= new Reload(this.#last + 1)
      return this.#queued
    }
    this.#last += 1
    this.#reload = new Reload(this.#last)
    return this.#reload
  }

  /** What lies on the disk counts as proven: the old workers go first, so there is nothing to fall back to. */
  restart(): void {
    this.cancel('the cluster was restarted')
    this.#last += 1
    this.#current = new Generation(this.#last)
    this.#current.prove()
  }

  /** A worker of this generation serves. Answers whether it is the first of its release. */
  served(number: number): boolean {
    const { newest } = this
    if (newest.number !== number || newest.isProven) return false
    newest.prove()
    this.#current = newest
    return true
  }

  /** A worker of this generation ended before it served. */
  bootDeath(number: number, exit: WorkerExit): void {
    if (this.newest.number === number) this.newest.bootDeath(exit)
  }

  /** Ends the reload that runs, well or not; the one that waits begins. Answers it. */
  finish(error?: Error): Reload | undefined {
    const ended = this.#reload
    this.#reload = undefined
    ended?.end(error)
    const next = this.#queued
    this.#queued = undefined
    if (next !== undefined) {
      this.#last = next.generation.number
      this.#reload = next
    }
    return ended
  }

  /** Gives up what runs and what waits. */
  cancel(why: string): void {
    while (this.#reload !== undefined) this.finish(new AH_CLUSTER_RELOAD_FAILED(why))
  }
}
