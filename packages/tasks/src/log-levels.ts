// Owns the events that are logged and the levels that they have by default, ActionHero's.
import { AH_TASKS_OPTIONS } from './errors.ts'

/** A level of the app's logger. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** Events of workers, with ActionHero's levels. */
export const workerLevels = {
  failure: 'error',
  success: 'info',
  start: 'info',
  end: 'info',
  cleaning_worker: 'info',
  poll: 'debug',
  job: 'debug',
  pause: 'debug',
  reEnqueue: 'debug',
  internalError: 'error',
  multiWorkerAction: 'debug',
} as const

/** Likewise, of the scheduler. */
export const schedulerLevels = {
  start: 'info',
  end: 'info',
  poll: 'debug',
  enqueue: 'debug',
  working_timestamp: 'debug',
  reEnqueue: 'debug',
  transferred_job: 'debug',
} as const

/** An event by who it is of. */
export type LogEvent = `worker.${string}` | `scheduler.${string}`

// Syslog's names, which ActionHero uses.
const renamed: Readonly<Record<string, LogLevel>> = {
  emerg: 'fatal',
  alert: 'fatal',
  crit: 'fatal',
  warning: 'warn',
  notice: 'info',
}
const levels = new Set<string>(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])

/** The level of the app's logger for one of its names or of ActionHero's; undefined for anything else. */
function levelOf(name: unknown): LogLevel | undefined {
  if (typeof name !== 'string') return undefined
  return renamed[name] ?? (levels.has(name) ? (name as LogLevel) : undefined)
}

/** The defaults with what was given in their place; throws `AH_TASKS_OPTIONS` for an event or level that there is not. */
export function mergeLevels(
  option: string,
  defaults: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>> = {},
): [event: string, level: LogLevel][] {
  for (const [event, level] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, event)) {
      const known = Object.keys(defaults).join(', ')
      throw new AH_TASKS_OPTIONS(`fastify-ah-tasks: option "${option}": unknown event "${event}"; there are: ${known}`)
    }
    if (levelOf(level) === undefined) {
      throw new AH_TASKS_OPTIONS(
        `fastify-ah-tasks: option "${option}.${event}": expected a level such as "info", got "${level}"`,
      )
    }
  }
  return Object.entries({ ...defaults, ...given }).map(([event, level]) => [event, levelOf(level) ?? 'info'])
}
