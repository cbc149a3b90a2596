// Owns what runs by itself in this process: the processor, if it works jobs, and the scheduler, if it may schedule.
import { type PeerDeath, within } from 'fastify-ah-kit'
import { Doorbell } from './doorbell.ts'
import { AH_TASKS_OPTIONS } from './errors.ts'
import { Leader } from './leader.ts'
import { Mail } from './mail.ts'
import type { ParsedTasksOptions } from './options.ts'
import type { Parts } from './parts.ts'
import { lastWordsMs, Processor, reporter } from './processor.ts'
import { checkQueueName } from './queue-name.ts'
import { Recurring } from './recurring.ts'
import type { Role } from './role.ts'
import { Scheduler } from './scheduler.ts'
import { Delayed } from './store/delayed.ts'
import { ParkedJobs } from './store/parked.ts'
import { WorkQueues } from './work-queues.ts'

export class Runtime {
  readonly #parts: Parts
  readonly #options: ParsedTasksOptions & Role
  readonly #mail = new Mail()
  #processor: Processor | undefined
  #scheduler: Scheduler | undefined
  /** For a process that schedules and works nothing; else the processor has one. */
  #doorbell: Doorbell | undefined
  #stopping: Promise<void> | undefined

  constructor(parts: Parts, options: ParsedTasksOptions & Role) {
    this.#parts = parts
    this.#options = options
  }

  async start(): Promise<void> {
    const { scheduler, maxTaskProcessors } = this.#options
    const queues = maxTaskProcessors > 0 ? await this.#queues() : []
    // Also while somebody thought about the queues.
    if (this.#stopping !== undefined) return
    if (maxTaskProcessors > 0) this.#startProcessor(queues)
    if (scheduler) this.#startScheduler(maxTaskProcessors > 0)
  }

  /** Only the first call counts; all end with it. */
  stop(signal: AbortSignal): Promise<void> {
    this.#stopping ??= this.#stop(signal)
    return this.#stopping
  }

  peerDied(death: PeerDeath): void {
    this.#processor?.peerDied(death)
  }

  async #stop(signal: AbortSignal): Promise<void> {
    const scheduling = Promise.all([this.#scheduler?.stop(), this.#doorbell?.stop()]).then(() => undefined)
    await Promise.all([within(lastWordsMs, scheduling, () => undefined), this.#processor?.stop(signal)])
  }

  async #queues(): Promise<readonly string[]> {
    const { queues } = this.#options
    const names: unknown = typeof queues === 'function' ? await queues() : queues
    if (!Array.isArray(names) || names.length === 0) {
      const got = typeof names === 'string' ? `"${names}"` : Array.isArray(names) ? 'an empty list' : typeof names
      throw new AH_TASKS_OPTIONS(
        `fastify-ah-tasks: option "queues": expected the function to answer a list of names, got ${got}`,
      )
    }
    return [...new Set(names)].map((name) => (name === '*' ? name : checkQueueName(name)))
  }

  #startProcessor(queues: readonly string[]): void {
    const { app, scope, definitions, events, cancels, tracks, hooks } = this.#parts
    const { minTaskProcessors: min, maxTaskProcessors: max, maxEventLoopDelayMs, checkIntervalMs } = this.#options
    const { pollMs, graceMs } = this.#options
    // No job begins with none at a time: one does, however slow the loop is.
    const size = { min: Math.max(1, min), max, maxEventLoopDelayMs, checkIntervalMs }
    const options = { app, scope, definitions, events, cancels, tracks, hooks, queues, size, pollMs, graceMs }
    this.#processor = new Processor(options, this.#mail)
    this.#processor.start()
  }

  #startScheduler(hasDoorbell: boolean): void {
    const { scope, definitions, ticks } = this.#parts
    const onError = reporter(scope)
    const leader = new Leader(scope, definitions.all())
    const recurring = new Recurring(definitions.all(), ticks, scope.eventLog)
    const delayed = new Delayed(scope)
    const parked = new ParkedJobs(scope)
    const scheduler = new Scheduler({ scope, leader, delayed, parked, recurring, onError: onError('scheduler') })
    this.#scheduler = scheduler
    this.#mail.onPromote(() => scheduler.wake())
    scheduler.start()
    if (hasDoorbell) return
    this.#doorbell = new Doorbell(scope, {
      queues: new WorkQueues([]),
      pollMs: this.#options.pollMs,
      isHungry: () => false,
      onJobs: () => Promise.resolve(),
      onMail: this.#mail.deliver,
      onError: onError('doorbell'),
    })
    this.#doorbell.start()
  }
}
