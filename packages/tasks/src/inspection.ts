// Looks into queues, times, workers and failures, and puts them in order: what the facade passes on.
import { checkMs, checkPlace, refuse } from './call-check.ts'
import { AH_TASKS_OPTIONS } from './errors.ts'
import type { Parts } from './parts.ts'
import { encodeBare } from './payload.ts'
import { checkQueueName } from './queue-name.ts'
import type { FailedJob, QueuedJob, TaskDetails, WaitingQueue, WorkingOn } from './types.ts'

/** Arguments, start and stop as in ActionHero; `inputs` find a job by the bytes that they make. */
export class Inspection {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Removes waiting jobs of a task with these inputs (default none); `count` as in Redis' LREM. Answers how many. */
  async del(queue: string, name: string, inputs?: unknown, count = 0): Promise<number> {
    checkPlace('count', count)
    return this.#parts.queues.remove(checkQueueName(queue), payloadOf(queue, name, inputs), count)
  }

  /** Removes all waiting jobs of a task, between two places of the queue. Answers how many. */
  async delByFunction(queue: string, name: string, start = 0, stop = -1): Promise<number> {
    return this.#parts.queues.removeTask(
      checkQueueName(queue),
      name,
      checkPlace('start', start),
      checkPlace('stop', stop),
    )
  }

  /** Removes jobs with these inputs from all times; answers these, in seconds. */
  async delDelayed(queue: string, name: string, inputs?: unknown): Promise<number[]> {
    checkQueueName(queue)
    const { planned } = this.#parts
    const bare = await planned.remove(payloadOf(queue, name, inputs))
    return [...bare, ...(await planned.removeScheduled(queue, sameJob(name, inputs)))]
  }

  /** The times, in seconds, for which a job with these inputs is planned. */
  async scheduledAt(queue: string, name: string, inputs?: unknown): Promise<number[]> {
    checkQueueName(queue)
    const { planned } = this.#parts
    const bare = await planned.secondsOf(payloadOf(queue, name, inputs))
    return [...bare, ...(await planned.scheduledSeconds(queue, sameJob(name, inputs)))]
  }

  /** The waiting jobs from `start` to `stop`. */
  async queued(queue: string, start = 0, stop = -1): Promise<QueuedJob[]> {
    return this.#parts.queues.queued(checkQueueName(queue), checkPlace('start', start), checkPlace('stop', stop))
  }

  /** How many jobs wait in a queue. */
  async length(queue: string): Promise<number> {
    return this.#parts.queues.length(checkQueueName(queue))
  }

  /** The names of all queues. */
  queues(): Promise<string[]> {
    return this.#parts.queues.names()
  }

  /** Removes a queue with all jobs in it. */
  async delQueue(queue: string): Promise<void> {
    await this.#parts.queues.destroy(checkQueueName(queue))
  }

  async pause(queue: string): Promise<void> {
    await this.#parts.queues.pause(checkQueueName(queue))
  }

  async resume(queue: string): Promise<void> {
    await this.#parts.queues.resume(checkQueueName(queue))
  }

  /** The locks of node-resque's plugins. */
  locks(): Promise<Record<string, string>> {
    return this.#parts.locks.all()
  }

  /** Removes a lock by its name in {@link locks}. */
  async delLock(lock: string): Promise<number> {
    if (!/^(?:lock|workerslock):/.test(lock)) {
      throw new AH_TASKS_OPTIONS(`expected the name of a lock as locks() answers it, got ${JSON.stringify(lock)}`)
    }
    return this.#parts.locks.remove(lock)
  }

  /** All times for which something is planned, in ms. */
  timestamps(): Promise<number[]> {
    return this.#parts.planned.timestamps()
  }

  async delayedAt(timestamp: number): Promise<{ tasks: QueuedJob[]; rTimestamp: number }> {
    return this.#parts.planned.at(checkMs('timestamp', timestamp))
  }

  allDelayed(): Promise<Record<string, QueuedJob[]>> {
    return this.#parts.planned.all()
  }

  /** Who works, ours and other programs' alike: name → queues. */
  workers(): Promise<Record<string, string>> {
    return this.#parts.workers.all()
  }

  /** What a worker has been at for a while; `started` if it is idle or has just begun. */
  async workingOn(name: string, queues: string): Promise<WorkingOn | 'started'> {
    return (await this.#parts.workers.workingOn(name, queues)) ?? 'started'
  }

  allWorkingOn(): Promise<Record<string, WorkingOn | 'started'>> {
    return this.#parts.workers.allWorkingOn()
  }

  failedCount(): Promise<number> {
    return this.#parts.failed.count()
  }

  /** Entries of the failed list from `start` to `stop`, both included; negative ones count from the end. */
  async failed(start: number, stop: number): Promise<FailedJob[]> {
    return this.#parts.failed.list(checkPlace('start', start), checkPlace('stop', stop))
  }

  /** Removes an entry as {@link failed} answered it; answers how many there were. */
  async removeFailed(failedJob: FailedJob): Promise<number> {
    return this.#parts.failed.remove(checkEntry(failedJob))
  }

  /** Removes an entry and enqueues its job again, in one step. Throws `AH_TASKS_NOT_FAILED`, `AH_TASKS_PAYLOAD`. */
  async retryAndRemoveFailed(failedJob: FailedJob): Promise<boolean> {
    await this.#parts.failed.retry(checkEntry(failedJob))
    return true
  }

  /** Other programs' workers that have been at one job for longer than `age` ms go off the lists; ours end by their lease. */
  async cleanOldWorkers(age: number): Promise<Record<string, FailedJob>> {
    return this.#parts.workers.clean(checkMs('age', age))
  }

  /** Numbers since ever, `processed` and `failed` among them. */
  stats(): Promise<Record<string, string>> {
    return this.#parts.workers.stats()
  }

  /** What waits in each queue, and for how long. */
  waiting(): Promise<Record<string, WaitingQueue>> {
    return this.#parts.queues.waiting()
  }

  /** All at a glance. */
  async details(): Promise<TaskDetails> {
    const { queues, workers, planned, failed } = this.#parts
    const [lengths, working, stats, leader, delayed, failures, redis] = await Promise.all([
      queues.details(),
      workers.allWorkingOn(),
      workers.stats(),
      workers.leader(),
      planned.count(),
      failed.count(),
      workers.memory(),
    ])
    return { queues: lengths, workers: working, stats, leader, delayed, failed: failures, redis }
  }
}

function checkEntry(entry: FailedJob): FailedJob {
  if (typeof entry === 'object' && entry !== null) return entry
  return refuse('the failed job', 'an entry as failed() answers it', entry)
}

function payloadOf(queue: string, name: string, inputs: unknown): string {
  return encodeBare(queue, name, [inputs === undefined ? {} : inputs])
}

function sameJob(name: string, inputs: unknown): (job: QueuedJob) => boolean {
  const wanted = JSON.stringify([inputs === undefined ? {} : inputs])
  return (job) => job.class === name && JSON.stringify(job.args) === wanted
}
