// Schedules: leads if it may, moves what is due, enqueues what recurs, and calls parked jobs whom nobody else does.
import { Loop, toError } from 'fastify-ah-kit'
import type { Leader } from './leader.ts'
import type { Recurring } from './recurring.ts'
import type { Scope } from './scope.ts'
import type { Delayed } from './store/delayed.ts'
import type { ParkedJobs } from './store/parked.ts'

/** What it schedules with. */
export interface SchedulerOptions {
  readonly scope: Scope
  readonly leader: Leader
  readonly delayed: Delayed
  readonly parked: ParkedJobs
  readonly recurring: Recurring
  readonly onError: (error: Error, failures: number) => void
}

// Longest sleep: others may put something there without a word.
const longestSleepMs = 1_000

export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #loop: Loop
  #retryAt = 0
  #lookAt = 0
  #leads = false

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#loop = new Loop({ name: 'scheduler', step: () => this.#step(), onError: options.onError })
  }

  start(): void {
    this.#loop.start()
  }

  /** Something is due earlier than it thinks. */
  wake(): void {
    this.#loop.wake()
  }

  async stop(): Promise<void> {
    await this.#loop.stop()
    if (!this.#leads) return
    this.#leads = false
    const { scope } = this.#options
    scope.eventLog.write('scheduler.end', () => ({ worker: scope.workerName }), 'this process schedules no more')
    try {
      await this.#options.leader.stop()
    } catch (thrown) {
      this.#options.scope.log.warn(
        { err: toError(thrown) },
        'the lock of the scheduler could not be given back: it ends by itself',
      )
    }
  }

  async #step(): Promise<number> {
    const { leader, delayed, parked, recurring, scope } = this.#options
    const now = performance.now()
    if (now >= this.#retryAt) {
      const { lead, retryMs } = await leader.lead()
      if (lead === 'mine' && !this.#leads)
        scope.eventLog.write(
          'scheduler.start',
          () => ({ worker: scope.workerName }),
          'this process schedules from now on',
        )
      this.#leads = lead === 'mine'
      this.#retryAt = now + retryMs
      if (lead === 'theirs') return retryMs
    }
    // Where a program that is none of ours leads, it does not know what lies in our own keys: each of us looks after that.
    scope.eventLog.write('scheduler.poll', () => ({}), 'looks for what is due')
    const { moved, nextMs, seconds } = await delayed.promote()
    for (const second of seconds) {
      const fields = (): object => ({ timestamp: Number(second) * 1_000 })
      scope.eventLog.write('scheduler.working_timestamp', fields, 'the time of planned jobs has come')
    }
    if (moved > 0)
      scope.eventLog.write(
        'scheduler.transferred_job',
        () => ({ jobs: moved }),
        'jobs that are due were moved into their queues',
      )
    const tickMs = await recurring.round()
    if (now >= this.#lookAt) {
      this.#lookAt = now + longestSleepMs
      await parked.round()
    }
    if ((moved > 0 || seconds.length > 0) && nextMs === 0) return 0
    const sleeps = [longestSleepMs, this.#retryAt - performance.now(), nextMs, tickMs]
    return Math.max(0, Math.min(...sleeps.filter((ms) => ms !== undefined)))
  }
}
