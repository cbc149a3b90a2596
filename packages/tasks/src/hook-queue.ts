// Makes what plugins and middleware know as `worker` and `queueObject`: node-resque's verbs on our engine.
import type { Definition } from './definition.ts'
import type { HookContext, HookQueue, HookWorker } from './hook-types.ts'
import { encodeBare } from './payload.ts'
import type { Scope } from './scope.ts'
import type { PlannedJobs } from './store/planned.ts'
import type { Queues } from './store/queues.ts'
import type { Due, Order, Ordered } from './store/waiting.ts'

/** What a hook queue stands on. */
export interface HookQueueOptions {
  readonly scope: Scope
  readonly planned: PlannedJobs
  readonly queues: Queues
  readonly put: (order: Order) => Promise<Ordered>
}

/** What hooks do to a queue: bare jobs, as node-resque writes them, of any task. */
export function makeHookQueue({ scope, planned, queues, put }: HookQueueOptions): HookQueue {
  const { connection, keys } = scope
  const delayed = async (due: Due, queue: string, func: string, args: readonly unknown[] = []): Promise<void> => {
    // That second has it already: so it will run then, which is what was wanted.
    await put({ queue, payload: encodeBare(queue, func, args), due })
  }
  return {
    connection: {
      key: (...parts) => keys.root + parts.flat().filter(Boolean).join(':'),
      redis: connection.client,
    },
    enqueue: async (queue, func, args = []) => {
      await put({ queue, payload: encodeBare(queue, func, args) })
      return true
    },
    enqueueIn: (ms, queue, func, args) => delayed({ inMs: ms }, queue, func, args),
    enqueueAt: (timestamp, queue, func, args) => delayed({ at: timestamp }, queue, func, args),
    scheduledAt: async (queue, func, args = []) => {
      const wanted = JSON.stringify(args)
      const [seconds, ours] = await Promise.all([
        planned.secondsOf(encodeBare(queue, func, args)),
        planned.scheduledSeconds(queue, (job) => job.class === func && JSON.stringify(job.args) === wanted),
      ])
      return [...seconds, ...ours]
    },
    length: (queue) => queues.length(queue),
  }
}

/** The worker of one job: what one job's hooks leave on it no other job sees. */
export function makeHookWorker(name: string, queueObject: HookQueue): HookWorker {
  // Who listens does so with `app.tasks.on`.
  return { name, connection: queueObject.connection, queueObject, emit: () => false }
}

/** The surroundings of the hooks of one job. */
export function makeHookContext(
  { name, plugins, pluginOptions }: Definition,
  { worker, queue, args }: { readonly worker: HookWorker; readonly queue: string; readonly args: unknown[] },
): HookContext {
  const job = { plugins, pluginOptions }
  return { worker, queueObject: worker.queueObject, queue, func: name, job, args, options: {} }
}
