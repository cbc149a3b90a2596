// The package's exports, and what it adds to Fastify's types.
import type {
  FastifyBaseLogger,
  FastifyTypeProvider,
  FastifyTypeProviderDefault,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerBase,
  RawServerDefault,
} from 'fastify'
import type { Tasks } from './tasks.ts'

export {
  AH_TASKS_CANCELLED,
  AH_TASKS_CRASHED,
  AH_TASKS_DEFINITION,
  AH_TASKS_DUPLICATE,
  AH_TASKS_FAILED,
  AH_TASKS_INPUTS,
  AH_TASKS_LOST,
  AH_TASKS_NOT_DURABLE,
  AH_TASKS_NOT_FAILED,
  AH_TASKS_NOT_TRACKED,
  AH_TASKS_OPTIONS,
  AH_TASKS_PAYLOAD,
  AH_TASKS_QUEUE,
  AH_TASKS_STOPPED,
  AH_TASKS_TIMEOUT,
  AH_TASKS_UNKNOWN,
  AH_TASKS_WAIT_TIMEOUT,
} from './errors.ts'
export type { TaskHandle } from './handle.ts'
export type {
  HookContext,
  HookQueue,
  HookWorker,
  TaskHook,
  TaskMiddleware,
  TaskPlugin,
  ThreadContext,
} from './hook-types.ts'
export type { JobEvent, JobEventName, JobListener } from './job-events.ts'
export {
  type DurabilityOptions,
  options,
  type ParsedTasksOptions,
  type QueuesOption,
  type TasksOptions,
} from './options.ts'
export { default, fastifyAhTasks, fastifyAhTasks as 'module.exports', type TasksRegistry } from './plugin.ts'
export type { Tasks } from './tasks.ts'
export type { EnqueueTrace, JobTrace } from './traces.ts'
export type {
  AhTasks,
  ConcurrencyOptions,
  Enqueued,
  EnqueueItem,
  EnqueueOptions,
  FailedJob,
  InputsOf,
  JobContext,
  JobTrack,
  LaterJob,
  QueuedJob,
  RedisMemory,
  ResultOf,
  RetryOptions,
  SchemaInputs,
  TaskDefinition,
  TaskDetails,
  TaskName,
  TaskPluginClass,
  WaitingQueue,
  WithWork,
  WorkingOn,
} from './types.ts'

declare module 'fastify' {
  interface FastifyInstance<
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    RawReply extends RawReplyDefaultExpression<RawServer> = RawReplyDefaultExpression<RawServer>,
    Logger extends FastifyBaseLogger = FastifyBaseLogger,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
  > {
    /** The background tasks of `fastify-ah-tasks`. */
    tasks: Tasks<TypeProvider>
  }
}
