// Runs what stands around the enqueues and the runs of one task: its plugins, then the middleware.
import { longestTimerMs, toError } from 'fastify-ah-kit'
import type { Definition } from './definition.ts'
import { AH_TASKS_DEFINITION } from './errors.ts'
import { type HookQueueOptions, makeHookContext, makeHookQueue, makeHookWorker } from './hook-queue.ts'
import type { HookContext, HookQueue, HookWorker, TaskMiddleware, TaskPlugin } from './hook-types.ts'
import { JobLock } from './job-lock.ts'
import { NotRun } from './not-run.ts'
import { optionsOf, resquePluginOf } from './resque-plugins.ts'
import type { PluginLocks } from './store/plugin-locks.ts'
import type { TaskPluginClass } from './types.ts'

/** What all hooks of an app stand on. */
export interface HookParts extends HookQueueOptions {
  readonly locks: PluginLocks
}

/** A job that is about to run. */
export interface HookedJob {
  readonly claim: number
  readonly id: string | undefined
  readonly queue: string
  readonly args: readonly unknown[]
}

type Plugin = string | TaskPluginClass
type Moment = 'beforeEnqueue' | 'afterEnqueue' | 'beforePerform' | 'afterPerform'
/** One hook of a chain, ready to be called at its moments. */
type Link = (moment: Moment) => unknown

const verbs = {
  beforeEnqueue: 'preEnqueue',
  afterEnqueue: 'postEnqueue',
  beforePerform: 'preProcessor',
  afterPerform: 'postProcessor',
} as const satisfies Record<Moment, keyof TaskMiddleware>

// As node-resque's own, in seconds and ms.
const lockTimeout = 3_600
const enqueueTimeout = 1_001

export class TaskHooks {
  readonly #parts: HookParts
  readonly #definition: Definition
  readonly #middleware: readonly TaskMiddleware[]
  readonly #queueObject: HookQueue

  constructor(parts: HookParts, definition: Definition, middleware: readonly TaskMiddleware[]) {
    this.#parts = parts
    this.#definition = definition
    this.#middleware = middleware
    this.#queueObject = makeHookQueue(parts)
  }

  /** False if one says that the job is not to be enqueued; the others are not asked then. They may change `args`. */
  async beforeEnqueue(queue: string, args: unknown[]): Promise<boolean> {
    for (const plugin of this.#definition.plugins) {
      if (resquePluginOf(plugin) !== 'DelayQueueLock') continue
      if ((await this.#queueObject.scheduledAt(queue, this.#definition.name, args)).length > 0) return false
    }
    return this.#all('beforeEnqueue', this.#links(this.#context(this.#worker(), queue, args)))
  }

  async afterEnqueue(queue: string, args: unknown[]): Promise<void> {
    await this.#all('afterEnqueue', this.#links(this.#context(this.#worker(), queue, args)))
  }

  /** The lock of QueueLock, if the task has it: to be taken with the enqueue itself. */
  get queueLock():
    | ((queue: string, args: readonly unknown[]) => { readonly key: string; readonly ms: number })
    | undefined {
    const plugin = this.#resque('QueueLock')
    if (plugin === undefined) return undefined
    return (queue, args) => {
      const { key, seconds } = this.#lockOf(plugin, 'lock', this.#context(this.#worker(), queue, [...args]))
      return { key, ms: Math.ceil(seconds * 1_000) }
    }
  }

  /** A job that never runs leaves its queue too, cancelled say: the lock that its enqueue took is freed. */
  async leaveQueue({ id, queue, args }: HookedJob): Promise<void> {
    const name = this.#queueLockName(this.#context(this.#worker(), queue, args as unknown[]))
    if (name !== undefined) await this.#parts.locks.freeQueued(name, id)
  }

  /** Runs a job between its hooks; its result, or {@link NotRun}; rejects with its error, unless a hook removed that. */
  async around(job: HookedJob, run: () => unknown): Promise<unknown> {
    const worker = this.#worker()
    worker.job = { class: this.#definition.name, queue: job.queue, args: job.args }
    const context = this.#context(worker, job.queue, job.args as unknown[])
    const lock = this.#jobLock(job, context)
    const left = this.#queueLockName(context)
    try {
      // It leaves the queue: the next one may come.
      if (left !== undefined) await this.#parts.locks.freeQueued(left, job.id)
      if (lock !== undefined && !(await lock.lock.take())) return new NotRun(lock.againInMs)
    } catch (thrown) {
      // Redis is away: that is no failure of a job that has not begun.
      const { log } = this.#parts.scope
      log.warn({ err: toError(thrown), task: this.#definition.name }, 'a job waits, its locks cannot be asked for')
      return new NotRun(enqueueTimeout)
    }
    try {
      return await this.#run(worker, this.#links(context), run)
    } finally {
      await lock?.lock.free()
    }
  }

  async #run(worker: HookWorker, links: readonly Link[], run: () => unknown): Promise<unknown> {
    let hasRun = false
    try {
      if (!(await this.#all('beforePerform', links))) return new NotRun()
      worker.result = await run()
      hasRun = true
      await this.#all('afterPerform', links)
      return worker.result
    } catch (error) {
      if (hasRun) throw error
      // `undefined` can be thrown too: a hook that wants to be rid of the error deletes the member.
      worker.error = error
      try {
        await this.#all('afterPerform', links)
      } catch (later) {
        if (!Object.hasOwn(worker, 'error')) throw later
      }
      if (Object.hasOwn(worker, 'error')) throw worker.error
      return worker.result
    }
  }

  /** One after the other, until one answers false. */
  async #all(moment: Moment, links: readonly Link[]): Promise<boolean> {
    for (const link of links) if ((await link(moment)) === false) return false
    return true
  }

  #worker(): HookWorker {
    return makeHookWorker(this.#parts.scope.workerName, this.#queueObject)
  }

  #context(worker: HookWorker, queue: string, args: unknown[]): HookContext {
    return makeHookContext(this.#definition, { worker, queue, args })
  }

  #links(context: HookContext): Link[] {
    const plugins = this.#definition.plugins.flatMap((plugin): Link[] => {
      const known = resquePluginOf(plugin)
      if (known === 'Noop') return [(moment) => this.#swallow(moment, plugin, context)]
      if (known !== undefined) return []
      const made = this.#make(plugin as TaskPluginClass, context)
      return [(moment) => made[moment]?.()]
    })
    const middleware = this.#middleware.map(
      (one): Link =>
        (moment) =>
          one[verbs[moment]]?.call(context, context),
    )
    return [...plugins, ...middleware]
  }

  /** Noop: an error is told, and is none. */
  #swallow(moment: Moment, plugin: Plugin, { worker, func }: HookContext): void {
    if (moment !== 'afterPerform' || !Object.hasOwn(worker, 'error')) return
    const { logger } = optionsOf(plugin, this.#definition.pluginOptions)
    if (typeof logger === 'function') logger(worker.error)
    else
      this.#parts.scope.log.warn(
        { err: toError(worker.error), task: func },
        'a job threw, which its plugin Noop lets pass',
      )
    delete worker.error
  }

  #make(plugin: TaskPluginClass, { worker, func, queue, job, args }: HookContext): TaskPlugin & LockMethods {
    const Made = plugin as unknown as new (...made: unknown[]) => TaskPlugin & LockMethods
    return new Made(worker, func, queue, job, args, optionsOf(plugin, this.#definition.pluginOptions))
  }

  #resque(name: string): Plugin | undefined {
    return this.#definition.plugins.find((plugin) => resquePluginOf(plugin) === name)
  }

  #queueLockName(context: HookContext): string | undefined {
    const plugin = this.#resque('QueueLock')
    return plugin && this.#lockOf(plugin, 'lock', context).key
  }

  #jobLock({ claim }: HookedJob, context: HookContext): { lock: JobLock; againInMs: number | undefined } | undefined {
    const plugin = this.#resque('JobLock')
    if (plugin === undefined) return undefined
    const { key: name, seconds, again } = this.#lockOf(plugin, 'workerslock', context)
    const { reEnqueue } = optionsOf(plugin, this.#definition.pluginOptions)
    const { locks, scope } = this.#parts
    const { leaseMs, log } = scope
    const lock = new JobLock({ locks, log, name, claim, mostMs: seconds * 1_000, leaseMs })
    return { lock, againInMs: reEnqueue === false ? undefined : again }
  }

  /** What a lock is called below the namespace, and its times: by the plugin's own methods where it is a class. */
  #lockOf(plugin: Plugin, kind: string, context: HookContext): { key: string; seconds: number; again: number } {
    const options = optionsOf(plugin, this.#definition.pluginOptions)
    const { root } = this.#parts.scope.keys
    const full = (text: unknown): string => {
      const key = String(text)
      return key.startsWith(root) ? key.slice(root.length) : `${kind}:${key}`
    }
    if (typeof plugin === 'function') {
      const made = this.#make(plugin, context)
      const seconds = aboveZero(plugin.name, 'lockTimeout', made.lockTimeout?.() ?? lockTimeout)
      const again = aboveZero(plugin.name, 'enqueueTimeout', made.enqueueTimeout?.() ?? enqueueTimeout)
      return { key: full(made.key?.()), seconds, again }
    }
    const { key } = options
    const own = typeof key === 'function' ? key.apply({ ...context, options }) : key
    const { func, queue, args } = context
    return {
      key: own ? full(own) : [kind, func, queue, JSON.stringify(args)].join(':'),
      seconds: Number(options['lockTimeout'] || lockTimeout),
      again: Number(options['enqueueTimeout'] || enqueueTimeout),
    }
  }
}

/** What a class says of its times; Redis would refuse anything else, and with it what others enqueue in the same moment. */
function aboveZero(plugin: string, method: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= longestTimerMs) return value
  throw new AH_TASKS_DEFINITION(`the plugin ${plugin}: ${method}() is a number above 0, got ${String(value)}`)
}

/** What node-resque's lock plugins say of themselves. */
interface LockMethods {
  key?(): unknown
  lockTimeout?(): unknown
  enqueueTimeout?(): unknown
}
