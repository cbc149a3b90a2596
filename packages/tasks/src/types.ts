// What users of the tasks meet: definitions, the job in hand, options of an enqueue, outcomes.
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider } from 'fastify'

/**
 * Tasks by name, for typed calls by name. Merge into it:
 * `declare module 'fastify-ah-tasks' { interface AhTasks { welcome: { inputs: { to: string }; result: void } } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: users fill it by declaration merging.
export interface AhTasks {}

/** Names that are known by {@link AhTasks}; any text while that is empty. */
export type TaskName = [keyof AhTasks] extends [never] ? string : (keyof AhTasks & string) | (string & {})

/** The inputs of a task known by name, else anything. */
export type InputsOf<Name> = Name extends keyof AhTasks
  ? AhTasks[Name] extends { inputs: infer Inputs }
    ? Inputs
    : unknown
  : unknown

/** Likewise, of its result. */
export type ResultOf<Name> = Name extends keyof AhTasks
  ? AhTasks[Name] extends { result: infer Result }
    ? Result
    : unknown
  : unknown

/** What a schema stands for, by the type provider of the scope in which the task is defined. */
export type SchemaInputs<Provider extends FastifyTypeProvider, Schema> = (Provider & { schema: Schema })['validator']

/** What `run` gets beside the inputs. */
export interface JobContext {
  readonly app: FastifyInstance
  /** Of jobs that were given one or carry options of their own; bare jobs have none. */
  readonly id: string | undefined
  /** 1 for the first try. */
  readonly attempt: number
  readonly queue: string
  /** All arguments as they were enqueued; `inputs` is the first one. */
  readonly args: readonly unknown[]
  /** Aborts when the job's time is over, it was cancelled, it belongs to another process now, or this one stops. */
  readonly signal: AbortSignal
  readonly log: FastifyBaseLogger
  /** Tells those who track the job how far it is; of a job that is not tracked, nobody. */
  readonly progress: (value: unknown) => Promise<void>
  /** It may have run before, in a process that died. */
  readonly recovered: boolean
}

/** How a failed job is tried again. */
export interface RetryOptions {
  /** Tries in all, the first included. */
  readonly attempts: number
  /** Wait before the second try, in ms; default 1000. */
  readonly backoffMs?: number
  /** What the wait is multiplied by with each further one; default 2. */
  readonly factor?: number
  /** Part of the wait that is random, 0 to 1; default 0.5. */
  readonly jitter?: number
  /** Longest wait, in ms; default one hour. */
  readonly maxBackoffMs?: number
}

/** How many jobs of a task may run at a time in the whole cluster. */
export interface ConcurrencyOptions<Inputs> {
  readonly max: number
  /** Counts apart what this answers apart; default: all jobs of the task count together. */
  readonly key?: (inputs: Inputs) => string
}

/** A class of node-resque's kind: made with worker, task, queue, job, arguments and options. */
export type TaskPluginClass = new (...made: never[]) => object

/** What `define` takes. */
export interface TaskDefinition<Inputs = unknown, Result = unknown, Schema = unknown> {
  readonly name: string
  readonly description?: string
  /** Default `default`. */
  readonly queue?: string
  readonly schema?: { readonly inputs?: Schema }
  /** Runs every so many ms. */
  readonly frequencyMs?: number
  /** Runs at these times: five or six fields, as cron has them. */
  readonly cron?: string
  /** Whose clock `cron` means: `Europe/Berlin`; default: that of the process. */
  readonly timezone?: string
  readonly retry?: RetryOptions
  /** Longest time of a run, in ms; then its signal aborts and it counts as failed. */
  readonly timeoutMs?: number
  readonly concurrency?: ConcurrencyOptions<Inputs>
  /** Names of middleware that is not global. */
  readonly middleware?: readonly string[]
  /** `JobLock`, `QueueLock`, `DelayQueueLock`, `Retry`, `Noop`, or classes. */
  readonly plugins?: readonly (string | TaskPluginClass)[]
  /** By name of the plugin. */
  readonly pluginOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Does the work; or `thread` does. */
  readonly run?: (inputs: Inputs, context: JobContext) => Result | Promise<Result>
  /** A module whose default export does the work in a thread of its own: URL or path, which begins in the working directory. */
  readonly thread?: string | URL
}

/** What a definition needs beside its name: something that does the work. */
export type WithWork = { readonly run: unknown } | { readonly thread: unknown }

/** How a job is enqueued. */
export interface EnqueueOptions {
  readonly queue?: string
  /** Starts so many ms from now. */
  readonly delayMs?: number
  /** Starts at this time: ms since 1970, or a Date. */
  readonly at?: number | Date
  /** Of the job, to track or cancel it; default: a random one where it needs one. */
  readonly id?: string
  /** No second job with this key within `ttlMs`: the answer is then the first one's id. */
  readonly dedupe?: { readonly key: string; readonly ttlMs: number }
  /** Keeps state, progress and outcome for `track` and `waitFor`. */
  readonly track?: boolean
  /** Before those that wait in its queue. Not with a later time. */
  readonly front?: boolean
  /** Instead of the definition's. */
  readonly timeoutMs?: number
}

/** One job of `enqueueMany`. */
export interface EnqueueItem<Name = string> {
  readonly name: Name
  readonly inputs?: unknown
  /** The name of a queue, or options. */
  readonly options?: EnqueueOptions | string
}

/** What `enqueueAt` and `enqueueIn` take behind the time, as in ActionHero. */
export type LaterJob<Name = string> = [
  name: Name,
  inputs?: InputsOf<Name>,
  options?: EnqueueOptions | string,
  suppressDuplicateTaskError?: boolean,
]

/** What became of an enqueue. */
export interface Enqueued {
  /** Where the job has one. */
  readonly id?: string
  readonly queue: string
  /** An earlier job has the dedupe key; `id` is that one's. */
  readonly isDuplicate?: true
}

/** What is known of a tracked job. */
export interface JobTrack {
  readonly id: string
  readonly state: 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled'
  readonly progress?: unknown
  readonly result?: unknown
  readonly error?: { readonly name: string; readonly message: string }
}

/** A job as it lies in a queue. */
export interface QueuedJob {
  readonly class: string
  readonly queue: string
  readonly args: readonly unknown[]
  readonly [member: string]: unknown
}

/** An entry of the failed list. */
export interface FailedJob {
  readonly worker: string
  readonly queue: string
  readonly payload: { readonly class?: string; readonly args?: readonly unknown[]; readonly [member: string]: unknown }
  readonly exception: string
  readonly error: string
  readonly backtrace: readonly string[]
  readonly failed_at: string
}

/** What a worker has been working on for a while. */
export interface WorkingOn {
  readonly run_at: string
  readonly queue: string
  readonly worker: string
  readonly payload: unknown
}

/** What Redis says of its memory. */
export interface RedisMemory {
  readonly usedMemory: number
  /** 0: as much as there is. */
  readonly maxMemory: number
  readonly policy: string
}

/** What waits in a queue. */
export interface WaitingQueue {
  /** Jobs that wait, parked ones not. */
  readonly length: number
  readonly parked: number
  readonly paused: boolean
  /** How long its oldest job has waited, in ms, as far as jobs carry their time: see `sampleWaits`. */
  readonly oldestMs: number | undefined
}

/** All at a glance. */
export interface TaskDetails {
  readonly queues: Readonly<
    Record<string, { readonly length: number; readonly parked: number; readonly paused: boolean }>
  >
  readonly workers: Readonly<Record<string, WorkingOn | 'started'>>
  readonly stats: Readonly<Record<string, string>>
  readonly leader: string | null
  readonly delayed: number
  readonly failed: number
  readonly redis: RedisMemory
}
