// A loop that cannot die: it runs a step, sleeps as long as the step said, and can be woken.
import { AH_KIT_LOOP_STUCK, toError } from './errors.ts'
import { runningLoops, type WatchedLoop } from './loops.ts'
import { longestTimerMs, within } from './within.ts'

/** What a {@link Loop} runs and how it behaves after an error. */
export interface LoopOptions {
  /** For reports: names the loop in logs and health checks. */
  readonly name: string
  /** One round of work; answers the milliseconds until the next one (0: at once, Infinity: until woken). */
  readonly step: (signal: AbortSignal) => Promise<number>
  /** Hears every error of `step`, and how many there were in a row. */
  readonly onError: (error: Error, failures: number) => void | Promise<void>
  /** Wait after the first error, doubled with each further one; no wake-up shortens it below this. Default 100 ms. */
  readonly minBackoffMs?: number
  /** Longest wait after an error; default 2000 ms. */
  readonly maxBackoffMs?: number
  /** How long a step may wait by design, in ms: until then it does not count as stalled. Default 0. */
  readonly patienceMs?: number
  /** How long `stop()` waits for the step in hand; default 6000 ms, longer than a command of Redis may take. */
  readonly stopMs?: number
}

/**
 * Runs `step` again and again, one at a time.
 *
 * | state | moves to | when |
 * |---|---|---|
 * | idle | stepping | `start()` |
 * | stepping | sleeping | the step answered |
 * | stepping | backing off | the step failed |
 * | sleeping | stepping | its time is over, or `wake()`, also one that came during the step |
 * | backing off | stepping | its time is over, or `wake()`, but not before `minBackoffMs` |
 * | any | stopped | `stop()`, once the step in hand is done or was given up |
 *
 * A `while` loop in one async function, not a timer that re-arms itself: there is no path, neither a throw nor a
 * missing answer nor an `onError` that throws, on which nobody would schedule the next round.
 */
export class Loop implements WatchedLoop {
  readonly name: string
  readonly #options: Required<LoopOptions>
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #isWoken = false
  #endSleep: (() => void) | undefined
  #failures = 0
  #lastSuccessAt: number | undefined
  /** When the step began that is under way, or the first of those that failed; undefined while it sleeps after a success. */
  #busySince: number | undefined

  constructor(options: LoopOptions) {
    this.name = options.name
    this.#options = { minBackoffMs: 100, maxBackoffMs: 2000, patienceMs: 0, stopMs: 6000, ...options }
  }

  /** Steps that failed since the last one that did not. */
  get failures(): number {
    return this.#failures
  }

  /** When a step last succeeded, in ms of the monotonic clock (`performance.now()`); undefined before the first. */
  get lastSuccessAt(): number | undefined {
    return this.#lastSuccessAt
  }

  get stalledMs(): number {
    if (this.#busySince === undefined) return 0
    return Math.max(0, performance.now() - this.#busySince - this.#options.patienceMs)
  }

  /** Begins; calls after the first change nothing. */
  start(): void {
    if (this.#running !== undefined) return
    if (!this.#stopping.signal.aborted) runningLoops().add(this)
    this.#running = this.#run()
  }

  /** The next step begins now instead of after the sleep; during a step, right after it. */
  wake(): void {
    this.#isWoken = true
    this.#endSleep?.()
  }

  /**
   * Aborts the step's signal, waits for the step in hand, and ends. A step that does not end within `stopMs` is left
   * behind and reported as `AH_KIT_LOOP_STUCK`. Never rejects. Not to be awaited inside the step, which it waits for.
   */
  async stop(): Promise<void> {
    runningLoops().delete(this)
    this.#stopping.abort()
    this.#endSleep?.()
    if (this.#running === undefined) return
    const { stopMs } = this.#options
    await within(stopMs, this.#running, () => void this.#report(new AH_KIT_LOOP_STUCK(this.name, stopMs)))
  }

  async #run(): Promise<void> {
    const { minBackoffMs } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#isWoken = false
      const wait = await this.#step(signal)
      if (this.#failures === 0) {
        if (!this.#isWoken) await this.#sleep(wait)
        continue
      }
      // Whoever wakes a loop that fails at once, for each request say, must not make it spin.
      await this.#sleep(Math.min(wait, minBackoffMs), false)
      if (!this.#isWoken) await this.#sleep(wait - minBackoffMs)
    }
  }

  /** Answers how long to wait. */
  async #step(signal: AbortSignal): Promise<number> {
    const { step, minBackoffMs, maxBackoffMs } = this.#options
    this.#busySince ??= performance.now()
    try {
      const wait = await step(signal)
      if (typeof wait !== 'number' || Number.isNaN(wait)) {
        throw new TypeError(`the loop ${this.name} wants the ms until its next step, its step answered ${String(wait)}`)
      }
      this.#failures = 0
      this.#lastSuccessAt = performance.now()
      this.#busySince = undefined
      return wait
    } catch (thrown) {
      this.#failures += 1
      const error = toError(thrown)
      // A step that was aborted says so; that is no failure.
      if (!signal.aborted || error.name !== 'AbortError') void this.#report(error)
      return Math.min(minBackoffMs * 2 ** (this.#failures - 1), maxBackoffMs)
    }
  }

  async #sleep(ms: number, isWakeable = true): Promise<void> {
    if (this.#stopping.signal.aborted) return
    if (ms <= 0) {
      // A step that answers 0 for ever must still let I/O through.
      await new Promise<void>((resolve) => setImmediate(resolve))
      return
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, longestTimerMs))
      this.#endSleep = () => {
        if (!isWakeable && !this.#stopping.signal.aborted) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#endSleep = undefined
  }

  // A reporter that throws or rejects must not end the loop, and must not be silent either.
  async #report(error: Error): Promise<void> {
    try {
      await this.#options.onError(error, this.#failures)
    } catch (thrown) {
      process.emitWarning(toError(thrown))
    }
  }
}
