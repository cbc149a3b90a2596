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
  readonly #running = new Map<number, Work>()
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
    return this.#isClosed ? 0 : Math.max(0, this.#capacity - this.#running.size)
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
    return [...this.#running.values()]
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
      // Up by one where it is used up, and down at once: a loop that is late makes every job late.
      if (late > maxEventLoopDelayMs) this.#capacity = Math.max(min, Math.floor(before / 2))
      else if (this.#running.size >= before) this.#capacity = Math.min(max, before + 1)
      if (this.#capacity !== before) onChange(this.#capacity, late)
    }, checkIntervalMs)
    this.#check.unref()
  }

  add(work: Work): void {
    this.#running.set(work.claim, work)
    if (work.isSuspect) this.#suspects += 1
  }

  /** Makes room: the run is over, whether or not Redis has heard of it. */
  remove(work: Work): void {
    if (!this.#running.delete(work.claim)) return
    if (work.isSuspect) this.#suspects -= 1
    if (this.#running.size === 0) for (const done of this.#onIdle.splice(0)) done()
  }

  /** No room from now on. */
  close(): void {
    this.#isClosed = true
    clearInterval(this.#check)
    this.#delay.disable()
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }
}
