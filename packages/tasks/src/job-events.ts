// Owns what is told of jobs, to listeners and to the log.
import { EventEmitter } from 'node:events'
import { toError } from 'fastify-ah-kit'
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
  /** How long it ran, in ms; 0 for `start`. */
  readonly durationMs: number
  /** Of `success`. */
  readonly result?: unknown
  /** Of all that did not succeed. */
  readonly error?: Error
}

/** `start` when a run begins; else how it ended: see the README. */
export type JobEventName = 'start' | Ending

const said: Readonly<Record<Ending, readonly [LogEvent, string]>> = {
  success: ['worker.success', 'a job succeeded'],
  failure: ['worker.failure', 'a job failed'],
  retry: ['worker.reEnqueue', 'a job failed and will be tried again'],
  skipped: ['worker.reEnqueue', 'a job did not run: a hook said so'],
  cancelled: ['worker.reEnqueue', 'a job was cancelled'],
  released: ['worker.reEnqueue', 'a job was given back, this process stops'],
  lost: ['worker.internalError', 'this process was taken for dead, or the job was taken away: another has it now'],
}

export class JobEvents {
  readonly #emitter = new EventEmitter()
  readonly #log: EventLog

  constructor(log: EventLog) {
    this.#log = log
    // As many as a program likes.
    this.#emitter.setMaxListeners(0)
  }

  /** Adds a listener; answers how to take it back. */
  on(name: JobEventName, listener: (event: JobEvent) => void): () => void {
    this.#emitter.on(name, listener)
    return () => this.#emitter.off(name, listener)
  }

  start(work: Work): void {
    const { task, queue } = work
    this.#log.write('worker.job', () => ({ task, queue, job: work.meta?.id, args: this.#args(work) }), 'a job begins')
    if (this.#emitter.listenerCount('start') > 0) this.#emit('start', { ...eventOf(work), durationMs: 0 })
  }

  end(ending: Ending, work: Work, outcome: Outcome): void {
    this.#logEnding(ending, work, outcome)
    if (this.#emitter.listenerCount(ending) === 0) return
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

  #args(work: Work): unknown {
    return this.#log.shown(work.parsed?.args ?? [])
  }

  #emit(name: JobEventName, event: JobEvent): void {
    try {
      this.#emitter.emit(name, event)
    } catch (thrown) {
      this.#log.write(
        'worker.internalError',
        () => ({ err: toError(thrown), event: name }),
        'a listener of job events threw',
      )
    }
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
