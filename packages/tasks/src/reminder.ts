// Looks again after those who were woken: Redis may have told a connection that was dying.
import { toError } from 'fastify-ah-kit'
import type { RedisConnection } from 'fastify-ah-kit/redis'
import type { TaskKeys } from './keys.ts'
import type { Reminded } from './scope.ts'
import { lookAgain } from './scripts/look-again.ts'

/** What it needs. */
export interface ReminderFor {
  readonly connection: RedisConnection
  readonly keys: TaskKeys
  readonly onError: (error: Error) => void
}

// A processor that was woken has long looked by then.
const firstLookMs = 50
const lastLookMs = 1_000

/**
 * A process that is killed, or whose host is gone, still has a wake-up to swallow until Redis sees its connection end;
 * the job would then wait for the next poll of somebody else. So whoever fills a queue looks soon whether its token is
 * gone and its jobs are not, and puts another, until nobody takes it or nothing waits. A job that was handed to such a
 * process, and whose letter still lies there, is taken back.
 */
export class Reminder implements Reminded {
  readonly #for: ReminderFor
  #queues = new Set<string>()
  #processes = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #pauseMs = firstLookMs
  #isClosed = false

  constructor(owner: ReminderFor) {
    this.#for = owner
  }

  noteQueues(names: Iterable<string>): void {
    for (const name of names) this.#queues.add(name)
    this.#schedule()
  }

  noteProcesses(bootIds: Iterable<string>): void {
    for (const bootId of bootIds) this.#processes.add(bootId)
    this.#schedule()
  }

  /** Nobody is looked after any more: the polls of others are left. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isClosed || this.#queues.size + this.#processes.size === 0) return
    this.#timer = setTimeout(() => void this.#look(), this.#pauseMs)
    this.#timer.unref()
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { connection, keys, onError } = this.#for
    const [queues, processes] = [[...this.#queues], [...this.#processes]]
    this.#queues = new Set()
    this.#processes = new Set()
    let count = 0
    try {
      const words = [keys.root, queues.length, ...queues, ...processes]
      count = await connection.run<number>(lookAgain, [keys.paused], words)
    } catch (thrown) {
      // The polls of others are left.
      if (!this.#isClosed) onError(toError(thrown))
    }
    this.#timer = undefined
    this.#pauseMs = count > 0 ? Math.min(this.#pauseMs * 2, lastLookMs) : firstLookMs
    this.noteQueues(count > 0 ? queues : [])
  }
}
