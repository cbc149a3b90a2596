// The facade: `app.tasks`, with the verbs of ActionHero's tasks and those that are ours.
import type { FastifyInstance, FastifyTypeProvider, FastifyTypeProviderDefault } from 'fastify'
import { checkId } from './call-check.ts'
import { defineTask, type TaskHandle } from './handle.ts'
import type { TaskMiddleware } from './hook-types.ts'
import { Inspection } from './inspection.ts'
import type { JobEventName, JobListener } from './job-events.ts'
import type { Parts } from './parts.ts'
import { Recurrence } from './recurrence.ts'
import { resultOf } from './result-of.ts'
import { runHere } from './run-here.ts'
import type {
  Enqueued,
  EnqueueItem,
  EnqueueOptions,
  FailedJob,
  InputsOf,
  JobTrack,
  LaterJob,
  QueuedJob,
  ResultOf,
  SchemaInputs,
  TaskDefinition,
  TaskDetails,
  TaskName,
  WithWork,
  WorkingOn,
} from './types.ts'

/** Background tasks; one per registration and scope. */
export class Tasks<Provider extends FastifyTypeProvider = FastifyTypeProviderDefault> {
  readonly #parts: Parts
  readonly #recurrence: Recurrence
  readonly #look: Inspection
  readonly #app: FastifyInstance

  constructor(parts: Parts, app: FastifyInstance) {
    this.#parts = parts
    this.#recurrence = new Recurrence(parts)
    this.#look = new Inspection(parts)
    this.#app = app
  }

  /** Defines a task, while the app boots. Throws `AH_TASKS_DEFINITION`. */
  define<const Schema, Result>(
    definition: TaskDefinition<SchemaInputs<Provider, Schema>, Result, Schema> &
      WithWork & { schema: { readonly inputs: Schema } },
  ): TaskHandle<SchemaInputs<Provider, Schema>, Result>
  /** Without a schema that types them, the inputs are what `run` says that they are. */
  define<Inputs, Result>(definition: TaskDefinition<Inputs, Result> & WithWork): TaskHandle<Inputs, Result>
  define(definition: object): TaskHandle<never, unknown> {
    return defineTask(this.#parts, definition as TaskDefinition<never, unknown>, this.#app)
  }

  /** Adds middleware, while the app boots. Throws `AH_TASKS_DEFINITION`. */
  addMiddleware(middleware: TaskMiddleware): void {
    this.#parts.hooks.add(middleware)
  }

  /** Enqueues a job; resolves once Redis has it. The third argument is the name of a queue, or options. */
  enqueue<Name extends TaskName>(
    name: Name,
    inputs?: InputsOf<Name>,
    options?: EnqueueOptions | string,
  ): Promise<Enqueued | false> {
    return this.#parts.enqueues.byName(name, inputs, options)
  }

  /** Enqueues many in few round trips; all are checked before the first is sent. */
  enqueueMany(items: readonly EnqueueItem<TaskName>[]): Promise<(Enqueued | false)[]> {
    return this.#parts.enqueues.many(items as readonly EnqueueItem[])
  }

  /** Enqueues a job for a time, in ms since 1970. As in ActionHero the same job twice for one second is an error. */
  enqueueAt<Name extends TaskName>(timestamp: number | Date, ...job: LaterJob<Name>): Promise<Enqueued | false> {
    return this.#parts.enqueues.later({ at: timestamp }, job)
  }

  /** Enqueues a job for in `ms`; likewise. */
  enqueueIn<Name extends TaskName>(ms: number, ...job: LaterJob<Name>): Promise<Enqueued | false> {
    return this.#parts.enqueues.later({ delayMs: ms }, job)
  }

  /** Runs a task here and now, without Redis; answers its result, rejects with its error. */
  async run<Name extends TaskName>(name: Name, inputs?: InputsOf<Name>): Promise<ResultOf<Name>> {
    return runHere(this.#parts.definitions.get(name), inputs, this.#app) as Promise<ResultOf<Name>>
  }

  /** What is known of a job that was enqueued with `track: true`; undefined if nothing is. */
  async track(id: string): Promise<JobTrack | undefined> {
    return this.#parts.tracks.read(checkId(id))
  }

  /** The result of a tracked job. Rejects with `AH_TASKS_FAILED`, `_NOT_TRACKED`, after 30 s with `_WAIT_TIMEOUT`. */
  async waitFor(id: string, options: { readonly timeoutMs?: number } = {}): Promise<unknown> {
    return resultOf(this.#parts.tracks, checkId(id), options)
  }

  /** Keeps a job from running, or aborts its signal where it runs; false if it is known to be finished. */
  async cancel(id: string): Promise<boolean> {
    return this.#parts.cancels.cancel(checkId(id))
  }

  /** Nobody takes jobs from the queue until it is resumed. */
  pause(queue: string): Promise<void> {
    return this.#look.pause(queue)
  }

  resume(queue: string): Promise<void> {
    return this.#look.resume(queue)
  }

  /** Hears of the jobs that this process works; answers how to stop that. */
  on(name: JobEventName, listener: JobListener): () => void {
    return this.#parts.events.on(name, listener)
  }

  /** Plans a recurring task anew: its waiting job is removed, its next one comes at its next time. */
  enqueueRecurrentTask(name: TaskName): Promise<void> {
    return this.#recurrence.restart(name)
  }

  /** Has every recurring task run now, unless the job of its last time waits or runs; answers the names of those that do. */
  enqueueAllRecurrentTasks(): Promise<string[]> {
    return this.#recurrence.enqueueAll()
  }

  /**
   * Removes the waiting job of a recurring task, whose times pass from then on, in all processes, until
   * `enqueueRecurrentTask` or `enqueueAllRecurrentTasks`. Answers how many jobs were removed.
   */
  stopRecurrentTask(name: TaskName): Promise<number> {
    return this.#recurrence.stop(name)
  }

  /** Removes waiting jobs of a task with these inputs (default none); `count` as in Redis' LREM. Answers how many. */
  del(queue: string, name: string, inputs?: unknown, count = 0): Promise<number> {
    return this.#look.del(queue, name, inputs, count)
  }

  /** Removes all waiting jobs of a task, between two places of the queue. Answers how many. */
  delByFunction(queue: string, name: string, start = 0, stop = -1): Promise<number> {
    return this.#look.delByFunction(queue, name, start, stop)
  }

  /** Removes jobs with these inputs from all times; answers these, in seconds. */
  delDelayed(queue: string, name: string, inputs?: unknown): Promise<number[]> {
    return this.#look.delDelayed(queue, name, inputs)
  }

  /** The times, in seconds, for which a job with these inputs is planned. */
  scheduledAt(queue: string, name: string, inputs?: unknown): Promise<number[]> {
    return this.#look.scheduledAt(queue, name, inputs)
  }

  /** The waiting jobs from `start` to `stop`. */
  queued(queue: string, start = 0, stop = -1): Promise<QueuedJob[]> {
    return this.#look.queued(queue, start, stop)
  }

  length(queue: string): Promise<number> {
    return this.#look.length(queue)
  }

  queues(): Promise<string[]> {
    return this.#look.queues()
  }

  delQueue(queue: string): Promise<void> {
    return this.#look.delQueue(queue)
  }

  locks(): Promise<Record<string, string>> {
    return this.#look.locks()
  }

  delLock(lock: string): Promise<number> {
    return this.#look.delLock(lock)
  }

  /** All times for which something is planned, in ms. */
  timestamps(): Promise<number[]> {
    return this.#look.timestamps()
  }

  delayedAt(timestamp: number): Promise<{ tasks: QueuedJob[]; rTimestamp: number }> {
    return this.#look.delayedAt(timestamp)
  }

  allDelayed(): Promise<Record<string, QueuedJob[]>> {
    return this.#look.allDelayed()
  }

  /** Who works, ours and other programs' alike: name → queues. */
  workers(): Promise<Record<string, string>> {
    return this.#look.workers()
  }

  /** What a worker has been at for a while; `started` if it is idle or has just begun. */
  workingOn(name: string, queues: string): Promise<WorkingOn | 'started'> {
    return this.#look.workingOn(name, queues)
  }

  allWorkingOn(): Promise<Record<string, WorkingOn | 'started'>> {
    return this.#look.allWorkingOn()
  }

  failedCount(): Promise<number> {
    return this.#look.failedCount()
  }

  /** Entries of the failed list from `start` to `stop`, both included; negative ones count from the end. */
  failed(start: number, stop: number): Promise<FailedJob[]> {
    return this.#look.failed(start, stop)
  }

  /** Removes an entry as {@link failed} answered it; answers how many there were. */
  removeFailed(failedJob: FailedJob): Promise<number> {
    return this.#look.removeFailed(failedJob)
  }

  /** Removes an entry and enqueues its job again, in one step. Throws `AH_TASKS_NOT_FAILED`, `AH_TASKS_PAYLOAD`. */
  retryAndRemoveFailed(failedJob: FailedJob): Promise<boolean> {
    return this.#look.retryAndRemoveFailed(failedJob)
  }

  /** Other programs' workers that have been at one job for longer than `age` ms go off the lists; ours end by their lease. */
  cleanOldWorkers(age: number): Promise<Record<string, FailedJob>> {
    return this.#look.cleanOldWorkers(age)
  }

  /** Numbers since ever, `processed` and `failed` among them. */
  stats(): Promise<Record<string, string>> {
    return this.#look.stats()
  }

  /** What waits in each queue. */
  waiting(): ReturnType<Inspection['waiting']> {
    return this.#look.waiting()
  }

  /** One job a queue and `everyMs` carries from when on it waits; default 0: none, all bare jobs are as Resque has them. */
  sampleWaits(everyMs: number): void {
    this.#parts.samples.take(everyMs)
  }

  details(): Promise<TaskDetails> {
    return this.#look.details()
  }
}
