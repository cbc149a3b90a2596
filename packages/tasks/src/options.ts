// The plugin's options: schema, defaults, and the type that `app.register` takes.
import { type CheckedOptions, decoratorOptionSchema, defineOptions } from 'fastify-ah-kit'
import { embeddedOptionSchema, type RedisOption, redisOptionSchema } from 'fastify-ah-kit/redis'
import { AH_TASKS_OPTIONS } from './errors.ts'
import { isNamespace } from './keys.ts'

/** The queues that a process works: names, `*` for all others in the order of their names, or who answers these. */
export type QueuesOption = readonly string[] | (() => readonly string[] | Promise<readonly string[]>)

/** The option `durability`. */
export interface DurabilityOptions {
  readonly replicas: number
  readonly timeoutMs?: number
}

/** What `app.register(fastifyAhTasks, …)` takes; see the README's table. */
export interface TasksOptions {
  /** Which Redis; without it `app.redis`, then `REDIS_URL`, then the embedded store. */
  readonly redis?: RedisOption
  /** Allows the embedded store with `NODE_ENV=production` too; default false. */
  readonly embedded?: boolean
  /** What all keys begin with; default `resque`, as in ActionHero. */
  readonly namespace?: string
  /** Name of the decorator; default `tasks`. */
  readonly decorator?: string
  /** Whether this process may schedule; default: `SCHEDULER`, else not in the role `web`. */
  readonly scheduler?: boolean
  /** Queues to work, in order; default `['*']`. */
  readonly queues?: QueuesOption
  /** Jobs at a time when the event loop is slow; default: `MIN_TASK_PROCESSORS`, else 1, in the role `web` 0. */
  readonly minTaskProcessors?: number
  /** Most jobs at a time, 0: works nothing; default: `MAX_TASK_PROCESSORS`, else 10, in the role `web` 0. */
  readonly maxTaskProcessors?: number
  /** How often the event loop is looked at, in ms; default 500. */
  readonly checkIntervalMs?: number
  /** A slower event loop gets fewer jobs at a time, in ms; default 5. */
  readonly maxEventLoopDelayMs?: number
  /** After how many ms without a sign of life a process counts as dead; default 15 000. */
  readonly leaseMs?: number
  /** How often queues are looked at for jobs of programs that do not wake us, in ms; default 1000. */
  readonly pollMs?: number
  /** How long a stop waits for the jobs in hand, in ms; default 30 000. */
  readonly graceMs?: number
  /** Most entries in the failed list; default: no limit. */
  readonly maxFailed?: number
  /** How long the outcome of a tracked job is kept, in ms; default one day. */
  readonly trackMs?: number
  /** An enqueue waits until so many replicas have the job. */
  readonly durability?: DurabilityOptions
  /** Levels of the events of workers, as in ActionHero. */
  readonly workerLogging?: Readonly<Record<string, string>>
  /** Likewise, of the scheduler. */
  readonly schedulerLogging?: Readonly<Record<string, string>>
  /** Logs at `info` what is at `debug`; default false. */
  readonly verbose?: boolean
  /** Members of inputs that no log shows. */
  readonly filteredParams?: readonly string[]
  /** Folders with a task per file, as `define` takes it. */
  readonly tasks?: string | readonly string[]
}

/** The options with their defaults. */
export interface ParsedTasksOptions {
  readonly redis?: RedisOption
  readonly embedded: boolean
  readonly namespace: string
  readonly decorator: string
  readonly scheduler?: boolean
  readonly queues: QueuesOption
  readonly minTaskProcessors?: number
  readonly maxTaskProcessors?: number
  readonly checkIntervalMs: number
  readonly maxEventLoopDelayMs: number
  readonly leaseMs: number
  readonly pollMs: number
  readonly graceMs: number
  readonly maxFailed?: number
  readonly trackMs: number
  readonly durability?: DurabilityOptions
  readonly workerLogging?: Readonly<Record<string, string>>
  readonly schedulerLogging?: Readonly<Record<string, string>>
  readonly verbose: boolean
  readonly filteredParams: readonly string[]
  readonly tasks?: string | readonly string[]
}

const duration = { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 } as const
const count = { type: 'integer', minimum: 0, maximum: 10_000 } as const

function isQueues(value: unknown): boolean {
  if (typeof value === 'function') return true
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== '')
}

function isFolders(value: unknown): boolean {
  const isFolder = (one: unknown): boolean => typeof one === 'string' && one !== ''
  return isFolder(value) || (Array.isArray(value) && value.every(isFolder))
}

function isLevels(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((level) => typeof level === 'string')
}

/** The options' schema and check. */
export const options: CheckedOptions<ParsedTasksOptions> = defineOptions<ParsedTasksOptions>({
  package: 'fastify-ah-tasks',
  error: AH_TASKS_OPTIONS,
  properties: {
    redis: redisOptionSchema,
    embedded: embeddedOptionSchema,
    namespace: {
      description: 'what all keys begin with, before a colon: apps with different namespaces on one Redis never meet',
      default: 'resque',
      type: 'string',
      check: {
        expected:
          'a text without spaces, braces and glob characters that is no part of Resque\'s keys, such as "resque"',
        accepts: (value) => typeof value !== 'string' || isNamespace(value),
      },
    },
    decorator: decoratorOptionSchema('tasks'),
    scheduler: {
      description: 'whether this process may schedule; without it `SCHEDULER`, else `false` in the role `web` only',
      type: 'boolean',
    },
    queues: {
      description: 'queues to work, in this order; `*` stands for all others. A list, or a function that answers one',
      check: { expected: 'a list of names, or a function that answers one', accepts: isQueues },
      default: ['*'],
    },
    minTaskProcessors: {
      description:
        'jobs at a time when the event loop is slow; without it `MIN_TASK_PROCESSORS`, else 1, in the role `web` 0',
      ...count,
    },
    maxTaskProcessors: {
      description:
        'most jobs at a time, 0 works nothing; without it `MAX_TASK_PROCESSORS`, else 10, in the role `web` 0',
      ...count,
    },
    checkIntervalMs: { description: 'how often the event loop is looked at, in ms', ...duration, default: 500 },
    maxEventLoopDelayMs: {
      description: 'an event loop that is later than this gets fewer jobs at a time, in ms',
      ...duration,
      default: 5,
    },
    leaseMs: {
      description: 'after how many ms without a sign of life a process counts as dead',
      ...duration,
      minimum: 300,
      default: 15_000,
    },
    pollMs: {
      description: 'how often queues are looked at for jobs of programs that do not wake us, in ms',
      ...duration,
      minimum: 50,
      maximum: 60_000,
      default: 1_000,
    },
    graceMs: {
      description: 'how long a stop waits for the jobs in hand before it gives them back, in ms',
      ...duration,
      minimum: 0,
      default: 30_000,
    },
    maxFailed: {
      description: 'most entries in the failed list, the oldest go first; without it no limit',
      ...count,
      minimum: 1,
      maximum: 2 ** 31 - 1,
    },
    trackMs: { description: 'how long the outcome of a tracked job is kept, in ms', ...duration, default: 86_400_000 },
    durability: {
      description: 'an enqueue waits until this many replicas have the job; without it, for none',
      type: 'object',
      properties: {
        replicas: { description: 'how many', type: 'integer', minimum: 1, maximum: 100 },
        timeoutMs: { description: 'for how long at most, in ms', ...duration, maximum: 4_000, default: 1_000 },
      },
      required: ['replicas'],
      additionalProperties: false,
    },
    workerLogging: {
      description: 'levels of the events of workers, see "Logs"; those that are not named keep theirs',
      check: { expected: 'an object of events and levels', accepts: isLevels },
    },
    schedulerLogging: {
      description: 'likewise, of the scheduler',
      check: { expected: 'an object of events and levels', accepts: isLevels },
    },
    verbose: { description: 'logs at `info` what is at `debug`', type: 'boolean', default: false },
    filteredParams: {
      description: 'members of inputs, at any depth, that no log shows',
      type: 'array',
      items: { type: 'string' },
      default: [],
    },
    tasks: {
      description:
        'folder, or folders, with a task per file; a path that is not absolute begins in the working directory',
      check: { expected: 'the path of a folder, or a list of these', accepts: isFolders },
    },
  },
  renamed: {
    timeout: 'pollMs',
    checkTimeout: 'checkIntervalMs',
    maxEventLoopDelay: 'maxEventLoopDelayMs',
    stuckWorkerTimeout: 'is gone: a dead process is found by its lease, see "leaseMs"',
    retryStuckJobs: 'is gone: the jobs of a dead process always run again',
    resque_overrides: 'is gone: the engine is our own',
    connectionOptions: 'redis',
    prefix: 'namespace',
  },
})
