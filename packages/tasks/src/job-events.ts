// Owns what is told of jobs, to listeners and to the log.
import { toError } from 'fastify-ah-kit'
import { AH_TASKS_OPTIONS } from './errors.ts'
import type { EventLog } from './event-log.ts'
import type { LogEvent } from './log-levels.ts'
import type { Outcome } from './perform.ts'
import type { Ending, Work } from './work.ts'

/** What a listener hears of a job. */
export interface JobEvent {
  readonly task: string
  readonly queue: string
  readonly id: string | undefined
  readonly args: readonly unknown[]
  readonly attempt: number
  /** How long it ran, in ms; 0 for `enqueue` and `start`. */
  readonly durationMs: number
  /** Of `start`, for jobs that carry the time from which they wait: for how long they did, in ms, by the hosts' clocks. */
  readonly waitedMs?: number
  /** Of `success`. */
  readonly result?: unknown
  /** Of all that did not succeed. */
  readonly error?: Error
}

/** Hears of jobs. One that answers a promise is not waited for; what it throws is logged. */
export type JobListener = (event: JobEvent) => unknown

/** `enqueue` when this process has put a job into its queue or planned it, `start` when a run begins; else how it ended: see the README. */
export type JobEventName = 'enqueue' | 'start' | Ending

const said: Readonly<Record<Ending, readonly [LogEvent, string]>> = {
  success: ['worker.success', 'a job succeeded'],
  failure: ['worker.failure', 'a job failed'],
  retry: ['worker.reEnqueue', 'a job failed and will be tried again'],
  skipped: ['worker.reEnqueue', 'a job did not run: a hook said so'],
  cancelled: ['worker.reEnqueue', 'a job was cancelled'],
  released: ['worker.reEnqueue', 'a job was given back, this process stops'],
  lost: ['worker.internalError', 'this process was taken for dead, or the job was taken away: another has it now'],
}

const names = new Set<string>(['enqueue', 'start', ...Object.keys(said)])

export class JobEvents {
  readonly #listeners = new Map<JobEventName, Set<JobListener>>()
  readonly #log: EventLog

  constructor(log: EventLog) {
    this.#log = log
  }

  /** Adds a listener; answers how to take it back. Throws `AH_TASKS_OPTIONS` for an event that there is not. */
  on(name: JobEventName, listener: JobListener): () => void {
    if (!names.has(name)) {
      throw new AH_TASKS_OPTIONS(`there is no event "${String(name)}" of jobs; there are: ${[...names].join(', ')}`)
    }
    if (typeof listener !== 'function') {
      throw new AH_TASKS_OPTIONS(`the listener of "${name}": expected a function, got ${typeof listener}`)
    }
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    // Each call counts for itself, also one with a function that is there already.
    const own: JobListener = (event) => listener(event)
    listeners.add(own)
    return () => void listeners.delete(own)
  }

  start(work: Work): void {
    const { task, queue } = work
    this.#log.write('worker.job', () => ({ task, queue, job: work.meta?.id, args: this.#args(work) }), 'a job begins')
    if (!this.#isHeard('start')) return
    const { at } = work.meta ?? {}
    const waited = at === undefined ? {} : { waitedMs: Math.max(0, Date.now() - at) }
    this.#emit('start', { ...eventOf(work), durationMs: 0, ...waited })
  }

  /** A job waits now, or is planned. */
  enqueue(task: string, queue: string, id: string | undefined, inputs: unknown): void {
    if (!this.#isHeard('enqueue')) return
    this.#emit('enqueue', { task, queue, id, args: [inputs], attempt: 1, durationMs: 0 })
  }

  end(ending: Ending, work: Work, outcome: Outcome): void {
    this.#logEnding(ending, work, outcome)
    if (!this.#isHeard(ending)) return
    const more =
      outcome.kind === 'success'
        ? { result: outcome.result }
        : { error: outcome.kind === 'failure' ? toError(outcome.error) : outcome.reason }
    this.#emit(ending, { ...eventOf(work), durationMs: durationOf(work), ...more })
  }

  /** Redis could not be told how a job ended. */
  error(work: Work, error: Error): void {
    const { task, queue } = work
    this.#log.write(
      'worker.internalError',
      () => ({ err: error, task, queue }),
      'a job could not be worked to its end: it will run again',
    )
  }

  #logEnding(ending: Ending, work: Work, outcome: Outcome): void {
    const [event, message] = said[ending]
    this.#log.write(
      event,
      () => ({
        task: work.task,
        queue: work.queue,
        job: work.meta?.id,
        attempt: work.attempt,
        durationMs: durationOf(work),
        args: this.#args(work),
        ...(outcome.kind === 'success' && ending === 'success' && { result: outcome.result }),
        ...(outcome.kind === 'failure' && { err: toError(outcome.error) }),
      }),
      message,
    )
  }

  #isHeard(name: JobEventName): boolean {
    const listeners = this.#listeners.get(name)
    return listeners !== undefined && listeners.size > 0
  }

  #args(work: Work): unknown {
    return this.#log.shown(work.parsed?.args ?? [])
  }

  /** One by one: a listener that throws, at once or later, keeps the event from nobody else. */
  #emit(name: JobEventName, event: JobEvent): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        const heard: unknown = listener(event)
        if (heard instanceof Promise) heard.catch((thrown) => this.#threw(name, thrown))
      } catch (thrown) {
        this.#threw(name, thrown)
      }
    }
  }

  #threw(name: JobEventName, thrown: unknown): void {
    const fields = (): object => ({ err: toError(thrown), event: name })
    this.#log.write('worker.internalError', fields, 'a listener of job events threw')
  }
}

function eventOf(work: Work): Omit<JobEvent, 'durationMs'> {
  return {
    task: work.task,
    queue: work.queue,
    id: work.meta?.id,
    args: work.parsed?.args ?? [],
    attempt: work.attempt,
  }
}

function durationOf({ startedAt }: Work): number {
  return Math.round(performance.now() - startedAt)
}
