// Owns the jobs that run in this process, and how many may.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Work } from './work.ts'

/** How big the pool is. */
export interface PoolSize {
  readonly min: number
  readonly max: number
  readonly maxEventLoopDelayMs: number
  readonly checkIntervalMs: number
}

// The histogram's own resolution: a delay is what goes beyond it.
const resolutionMs = 5

/** The size follows the event loop: at most `max`, and `min` at least, however slow it is. */
export class WorkerPool {
  readonly #size: PoolSize
  // A list, each work knowing its place: a Map that is filled and emptied without end leaves old tables behind, which keep
  // what was in them from being collected early.
  readonly #running: Work[] = []
  #wasUsedUp = false
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs })
  #check: NodeJS.Timeout | undefined
  #capacity: number
  #suspects = 0
  #isClosed = false
  #onIdle: (() => void)[] = []

  constructor(size: PoolSize) {
    this.#size = size
    this.#capacity = size.min
  }

  /** How many jobs may begin now. */
  get room(): number {
    return this.#isClosed ? 0 : Math.max(0, this.#capacity - this.#running.length)
  }

  get isIdle(): boolean {
    return this.#running.length === 0
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get hasSuspect(): boolean {
    return this.#suspects > 0
  }

  get capacity(): number {
    return this.#capacity
  }

  /** Those in hand, the oldest first. */
  get running(): readonly Work[] {
    return this.#running.toSorted((a, b) => a.claim - b.claim)
  }

  /** Looks at the event loop now and then; `onChange` hears of each change. */
  start(onChange: (capacity: number, lateMs: number) => void): void {
    const { min, max, checkIntervalMs, maxEventLoopDelayMs } = this.#size
    if (min === max) return
    this.#delay.enable()
    this.#check = setInterval(() => {
      const late = Math.max(0, this.#delay.mean / 1e6 - resolutionMs)
      this.#delay.reset()
      const before = this.#capacity
      // A loop that is late makes every job late; one that is not takes more, if what there is was used up.
      if (late > maxEventLoopDelayMs) this.#capacity = Math.max(min, Math.floor(before / 2))
      else if (this.#wasUsedUp) this.#capacity = Math.min(max, before * 2)
      this.#wasUsedUp = this.#running.length >= this.#capacity
      if (this.#capacity !== before) onChange(this.#capacity, late)
    }, checkIntervalMs)
    this.#check.unref()
  }

  add(work: Work): void {
    work.place = this.#running.push(work) - 1
    if (this.#running.length >= this.#capacity) this.#wasUsedUp = true
    if (work.isSuspect) this.#suspects += 1
  }

  /** Makes room: the run is over, whether or not Redis has heard of it. */
  remove(work: Work): void {
    const { place } = work
    if (place < 0) return
    work.place = -1
    const last = this.#running.pop() as Work
    if (last !== work) {
      this.#running[place] = last
      last.place = place
    }
    if (work.isSuspect) this.#suspects -= 1
    if (this.#running.length === 0) for (const done of this.#onIdle.splice(0)) done()
  }

  /** No room from now on. */
  close(): void {
    this.#isClosed = true
    clearInterval(this.#check)
    this.#delay.disable()
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    if (this.#running.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }
}
