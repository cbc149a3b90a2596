// Measures jobs by what is heard of them, and queues by looking at them.
import { Bounded } from './bounded.ts'
import type { Instruments, Readings } from './instruments.ts'
import { jobEndings, type MeasuredQueue, type MeasuredTasks } from './types.ts'

/** How it measures. */
export interface TaskMetricsOptions {
  readonly buckets: readonly number[]
  readonly maxLabels: number
}

/** Measures until it is stopped. */
export class TaskMetrics {
  readonly #all: ReadonlyMap<string, MeasuredTasks>
  readonly #queueLabel: Bounded
  readonly #queues = new Map<string, Readonly<Record<string, MeasuredQueue>>>()
  readonly #forget: (() => void)[] = []

  /** `all`: by their decorator. */
  constructor(all: ReadonlyMap<string, MeasuredTasks>, instruments: Instruments, options: TaskMetricsOptions) {
    this.#all = all
    this.#queueLabel = new Bounded(options.maxLabels)
    this.#hearJobs(instruments, options)
    this.#showQueues(instruments)
  }

  /** Looks at all queues. Rejects if one cannot be asked; nothing is shown of its queues until it answers again. */
  async look(): Promise<void> {
    const answers = await Promise.allSettled(
      [...this.#all].map(async ([tasks, measured]) => {
        this.#queues.delete(tasks)
        this.#queues.set(tasks, await measured.waiting())
      }),
    )
    const failed = answers.find((answer) => answer.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  stop(): void {
    for (const forget of this.#forget.splice(0)) forget()
  }

  #hearJobs(instruments: Instruments, { buckets, maxLabels }: TaskMetricsOptions): void {
    const labels = ['tasks', 'task', 'queue']
    const enqueued = instruments.counter({
      name: 'tasks_enqueued_total',
      help: 'Jobs that processes have put into a queue or planned; those of recurring tasks are not among them.',
      labels,
    })
    const started = instruments.counter({ name: 'tasks_started_total', help: 'Runs that began.', labels })
    const finished = instruments.counter({
      name: 'tasks_finished_total',
      help: 'Jobs that ended, and how: success, failure (for good), retry, skipped, cancelled, released, lost.',
      labels: [...labels, 'outcome'],
    })
    const durations = instruments.histogram({
      name: 'tasks_run_duration_seconds',
      help: 'How long jobs ran that succeeded or failed.',
      labels: ['tasks', 'task', 'outcome'],
      buckets,
    })
    const waits = instruments.histogram({
      name: 'tasks_wait_seconds',
      help: 'Queue latency: how long jobs waited, of those that carry the time from which they do.',
      labels: ['tasks', 'queue'],
      buckets,
    })
    const names = new Bounded(maxLabels)
    for (const [tasks, measured] of this.#all) {
      const on = (event: Parameters<MeasuredTasks['on']>[0], hear: Parameters<MeasuredTasks['on']>[1]) =>
        this.#forget.push(measured.on(event, hear))
      const labelled = (task: string, queue: string) => ({
        tasks,
        task: names.of(task),
        queue: this.#queueLabel.of(queue),
      })
      on('enqueue', ({ task, queue }) => enqueued.inc(labelled(task, queue)))
      on('start', ({ task, queue, waitedMs }) => {
        started.inc(labelled(task, queue))
        if (waitedMs !== undefined) waits.observe({ tasks, queue: this.#queueLabel.of(queue) }, waitedMs / 1000)
      })
      for (const outcome of jobEndings) {
        on(outcome, ({ task, queue, durationMs }) => {
          finished.inc({ ...labelled(task, queue), outcome })
          if (outcome !== 'success' && outcome !== 'failure' && outcome !== 'retry') return
          durations.observe({ tasks, task: names.of(task), outcome }, durationMs / 1000)
        })
      }
    }
  }

  #showQueues(instruments: Instruments): void {
    const labels = ['tasks', 'queue']
    // Each process looks at the same queues: the largest value is the last one, more or less.
    const shown = (name: string, help: string, read: (queue: MeasuredQueue) => number | undefined) =>
      instruments.shown({ name, help, labels, aggregator: 'max' }, () => this.#read(read))
    shown('tasks_queue_length', 'Jobs that wait in a queue.', ({ length }) => length)
    shown('tasks_queue_parked', 'Jobs that wait for a slot of their concurrency key.', ({ parked }) => parked)
    shown('tasks_queue_paused', '1: nobody takes jobs from the queue.', ({ paused }) => (paused ? 1 : 0))
    shown(
      'tasks_queue_oldest_wait_seconds',
      'How long the oldest job of a queue has waited; 0: it is empty. Without a value: no job near its head carries a time.',
      ({ length, oldestMs }) => (length === 0 ? 0 : oldestMs === undefined ? undefined : oldestMs / 1000),
    )
  }

  #read(read: (queue: MeasuredQueue) => number | undefined): Readings {
    return [...this.#queues].flatMap(([tasks, queues]) =>
      Object.entries(queues).flatMap(([name, queue]) => {
        const value = read(queue)
        return value === undefined ? [] : [[{ tasks, queue: this.#queueLabel.of(name) }, value] as const]
      }),
    )
  }
}
