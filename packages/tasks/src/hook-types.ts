// What users meet around the enqueue and the run of a job: middleware, and node-resque's plugins.
import type { RedisClient } from 'fastify-ah-kit/redis'

/** What a hook of a middleware or of a plugin sees, as its `this` and its first argument: node-resque's names. */
export interface HookContext {
  /** The worker of this one job; around an enqueue the queue. What hooks put onto it is there for those that come later. */
  readonly worker: HookWorker
  readonly queueObject: HookQueue
  readonly queue: string
  /** Name of the task. */
  readonly func: string
  readonly job: { readonly plugins: readonly unknown[]; readonly pluginOptions: Readonly<Record<string, unknown>> }
  /** The inputs are the first; before an enqueue and before a run they may be changed. */
  readonly args: unknown[]
  /** Of a plugin: its `pluginOptions`. */
  readonly options: Record<string, unknown>
}

/** What node-resque's plugins use of a queue. */
export interface HookQueue {
  readonly connection: { readonly key: (...parts: readonly unknown[]) => string; readonly redis: RedisClient }
  enqueue(queue: string, func: string, args?: readonly unknown[]): Promise<boolean>
  enqueueIn(ms: number, queue: string, func: string, args?: readonly unknown[]): Promise<void>
  enqueueAt(timestamp: number, queue: string, func: string, args?: readonly unknown[]): Promise<void>
  scheduledAt(queue: string, func: string, args?: readonly unknown[]): Promise<number[]>
  length(queue: string): Promise<number>
}

/** What they use of a worker. */
export interface HookWorker {
  readonly name: string
  readonly connection: HookQueue['connection']
  readonly queueObject: HookQueue
  readonly emit: (event: string, ...details: readonly unknown[]) => boolean
  /** The job in hand. */
  job?: { readonly class: string; readonly queue: string; args: readonly unknown[] }
  result?: unknown
  /** Of the run; removed by a hook after it, the job has succeeded. */
  error?: unknown
  [member: string]: unknown
}

/** Called with the context as `this` and as its argument. False before an enqueue or a run keeps it from happening. */
export type TaskHook = (this: HookContext, context: HookContext) => unknown

/** What stands around the enqueues and the runs of tasks, as in ActionHero. */
export interface TaskMiddleware {
  readonly name: string
  /** For all tasks; else for those that name it. Default false. */
  readonly global?: boolean
  /** Global ones with a lower number come first; default 100. */
  readonly priority?: number
  readonly preProcessor?: TaskHook
  readonly postProcessor?: TaskHook
  readonly preEnqueue?: TaskHook
  readonly postEnqueue?: TaskHook
}

/** An instance of a plugin, as node-resque has them. */
export interface TaskPlugin {
  readonly name?: string
  beforeEnqueue?(): unknown
  afterEnqueue?(): unknown
  beforePerform?(): unknown
  afterPerform?(): unknown
}

/** What the function of a task's module gets beside the inputs, in its thread. */
export interface ThreadContext {
  readonly id: string | undefined
  readonly attempt: number
  readonly queue: string
  readonly args: readonly unknown[]
  readonly recovered: boolean
  /** A thread that does not end within a second of its abort is ended by force. */
  readonly signal: AbortSignal
  readonly progress: (value: unknown) => Promise<void>
}
