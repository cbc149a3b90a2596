// Owns one task's definition, checked: what it needs to be enqueued and run.
import { Cron } from 'croner'
import type { FastifyInstance } from 'fastify'
import { longestTimerMs } from 'fastify-ah-kit'
import { AH_TASKS_DEFINITION } from './errors.ts'
import { hookFaults } from './hook-faults.ts'
import { checkQueueName } from './queue-name.ts'
import { type PluginOptions, type RetryPlan, retryPlanOf } from './resque-plugins.ts'
import { threadFile, threadsOf } from './threads.ts'
import type { ConcurrencyOptions, JobContext, TaskDefinition, TaskPluginClass } from './types.ts'

/** A task as the parts know it. */
export interface Definition {
  readonly name: string
  readonly description: string
  readonly queue: string
  readonly frequencyMs: number | undefined
  readonly cron: string | undefined
  readonly timezone: string | undefined
  readonly retry: RetryPlan | undefined
  readonly timeoutMs: number | undefined
  readonly concurrency: ConcurrencyOptions<unknown> | undefined
  /** Names of middleware that is not global. */
  readonly middleware: readonly string[]
  readonly plugins: readonly (string | TaskPluginClass)[]
  readonly pluginOptions: PluginOptions
  readonly run: (inputs: unknown, context: JobContext) => unknown
  /** It runs in a thread. */
  readonly thread: boolean
  readonly schema: unknown
  /** The scope in which it was defined. */
  readonly app: FastifyInstance
}

const members = new Set([
  'name',
  'description',
  'queue',
  'schema',
  'frequencyMs',
  'cron',
  'timezone',
  'retry',
  'timeoutMs',
  'concurrency',
  'middleware',
  'plugins',
  'pluginOptions',
  'run',
  'thread',
])

const renamed: Readonly<Record<string, string>> = {
  frequency: 'frequencyMs',
  inputs: 'schema: { inputs }',
  reEnqueuePeriodicTaskIfException: 'nothing: a recurring task that fails runs again at its next time',
}

/** Checks what `define` was given; throws `AH_TASKS_DEFINITION` with all that is wrong. */
export function checkDefinition(given: TaskDefinition<never, unknown>, app: FastifyInstance): Definition {
  const wrong = faultsOf(given as unknown)
  if (wrong.length > 0) {
    const { name } = (given ?? {}) as { name?: unknown }
    throw new AH_TASKS_DEFINITION(
      `the task ${typeof name === 'string' ? name : '(without a name)'}: ${wrong.join('; ')}`,
    )
  }
  const { name, description = name, queue = 'default', schema, frequencyMs, cron, timezone, retry, timeoutMs } = given
  const { middleware = [], plugins = [], pluginOptions = {} } = given
  return Object.freeze<Definition>({
    name,
    description,
    queue: checkQueueName(queue),
    frequencyMs,
    cron,
    timezone,
    retry: retry
      ? { backoffMs: 1_000, factor: 2, jitter: 0.5, maxBackoffMs: 3_600_000, ...retry }
      : retryPlanOf(plugins, pluginOptions),
    timeoutMs,
    concurrency: given.concurrency as ConcurrencyOptions<unknown> | undefined,
    middleware,
    plugins,
    pluginOptions,
    run: (given.run as Definition['run'] | undefined) ?? runInThread(given.thread as string | URL, app),
    thread: given.thread !== undefined,
    schema: schema?.inputs,
    app,
  })
}

function faultsOf(given: unknown): string[] {
  if (typeof given !== 'object' || given === null) return ['a definition is an object']
  const task = given as Record<string, unknown>
  const wrong: string[] = []
  const expect = (isRight: boolean, what: string): void => void (isRight || wrong.push(what))
  for (const member of Object.keys(task)) {
    if (members.has(member)) continue
    const instead = renamed[member]
    wrong.push(instead === undefined ? `unknown member "${member}"` : `"${member}" is now ${instead}`)
  }
  const { name, description, run, frequencyMs, cron, timezone, retry, timeoutMs, concurrency, schema, thread } = task
  expect(typeof name === 'string' && name !== '', 'name is a text that is not empty')
  expect(description === undefined || typeof description === 'string', 'description is a text')
  expect(thread !== undefined || typeof run === 'function', 'run is missing: the function that does the work')
  if (thread !== undefined) wrong.push(...threadFaults(thread, run))
  expect(frequencyMs === undefined || isDuration(frequencyMs), 'frequencyMs is a whole number of ms above 0')
  expect(
    timeoutMs === undefined || (isDuration(timeoutMs) && (timeoutMs as number) <= longestTimerMs),
    `timeoutMs is a whole number of ms from 1 to ${longestTimerMs}`,
  )
  expect(frequencyMs === undefined || cron === undefined, 'frequencyMs and cron exclude each other')
  expect(timezone === undefined || cron !== undefined, 'timezone belongs to cron')
  expect(schema === undefined || isObject(schema), 'schema is an object with the member inputs')
  wrong.push(...strangers('schema', schema, ['inputs']))
  wrong.push(...hookFaults(task))
  if (cron !== undefined) wrong.push(...cronFaults(cron, timezone))
  if (retry !== undefined) wrong.push(...retryFaults(retry))
  if (concurrency !== undefined) {
    const { max, key } = isObject(concurrency) ? concurrency : {}
    wrong.push(...strangers('concurrency', concurrency, ['max', 'key']))
    expect(isDuration(max), 'concurrency.max is a whole number above 0')
    expect(key === undefined || typeof key === 'function', 'concurrency.key is a function of the inputs')
  }
  return wrong
}

function runInThread(given: string | URL, app: FastifyInstance): Definition['run'] {
  const file = threadFile(given) as string
  const threads = threadsOf(app)
  return (inputs, job) => threads.run(file, inputs, job)
}

function threadFaults(thread: unknown, run: unknown): string[] {
  if (run !== undefined) return ['run and thread exclude each other']
  if (typeof thread !== 'string' && !(thread instanceof URL)) return ['thread is the path or the URL of a module']
  return threadFile(thread) === undefined ? [`thread: there is no file ${String(thread)}`] : []
}

function retryFaults(retry: unknown): string[] {
  if (!isObject(retry)) return ['retry is an object']
  const { attempts, backoffMs, factor, jitter, maxBackoffMs } = retry
  const checks: [boolean, string][] = [
    [isDuration(attempts), 'retry.attempts is a whole number above 0'],
    [backoffMs === undefined || backoffMs === 0 || isDuration(backoffMs), 'retry.backoffMs is a whole number of ms'],
    [
      factor === undefined || (Number.isFinite(factor) && (factor as number) >= 1),
      'retry.factor is a number from 1 on',
    ],
    [
      jitter === undefined || (typeof jitter === 'number' && jitter >= 0 && jitter <= 1),
      'retry.jitter lies between 0 and 1',
    ],
    [maxBackoffMs === undefined || isDuration(maxBackoffMs), 'retry.maxBackoffMs is a whole number of ms above 0'],
  ]
  const unknown = strangers('retry', retry, ['attempts', 'backoffMs', 'factor', 'jitter', 'maxBackoffMs'])
  return [...unknown, ...checks.filter(([isRight]) => !isRight).map(([, what]) => what)]
}

function cronFaults(cron: unknown, timezone: unknown): string[] {
  if (typeof cron !== 'string') return ['cron is a text']
  if (timezone !== undefined && (typeof timezone !== 'string' || timezone === ''))
    return ['timezone is the name of one, such as Europe/Berlin']
  try {
    const pattern = new Cron(cron, { paused: true, ...(typeof timezone === 'string' && { timezone }) })
    return pattern.nextRun() === null ? [`cron "${cron}" never comes`] : []
  } catch (cause) {
    return [`cron "${cron}" cannot be read: ${(cause as Error).message}`]
  }
}

/** Members that mean nothing: a word that is written otherwise would be a default in silence. */
function strangers(what: string, given: unknown, known: readonly string[]): string[] {
  if (!isObject(given)) return []
  const found = Object.keys(given).filter((member) => !known.includes(member))
  return found.map((member) => `unknown member "${what}.${member}", there are: ${known.join(', ')}`)
}

function isDuration(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
