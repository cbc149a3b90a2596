// Owns what is logged of workers and of the scheduler, each event with its level, as ActionHero lets one set them.
import type { FastifyBaseLogger } from 'fastify'
import { FilteredParams } from 'fastify-ah-kit'
import { type LogEvent, type LogLevel, mergeLevels, schedulerLevels, workerLevels } from './log-levels.ts'

/** How it logs. */
export interface EventLogOptions {
  readonly workerLogging?: Readonly<Record<string, string>>
  readonly schedulerLogging?: Readonly<Record<string, string>>
  /** What is at `debug` by default is at `info`. */
  readonly verbose: boolean
  /** Members of inputs that are not shown. */
  readonly filteredParams: readonly string[]
}

type LevelName = Exclude<LogLevel, 'silent'>

/** Nothing is put together for a line that nobody would see. */
export class EventLog {
  readonly #log: FastifyBaseLogger
  readonly #levels: ReadonlyMap<LogEvent, LogLevel>
  readonly #filtered: FilteredParams

  constructor(log: FastifyBaseLogger, { workerLogging, schedulerLogging, verbose, filteredParams }: EventLogOptions) {
    this.#log = log
    this.#filtered = new FilteredParams(filteredParams)
    const levels = new Map<LogEvent, LogLevel>()
    const all = [
      ['worker', mergeLevels('workerLogging', workerLevels, workerLogging)],
      ['scheduler', mergeLevels('schedulerLogging', schedulerLevels, schedulerLogging)],
    ] as const
    for (const [who, events] of all) {
      for (const [event, level] of events) levels.set(`${who}.${event}`, verbose && level === 'debug' ? 'info' : level)
    }
    this.#levels = levels
  }

  /** Whether a line of this event would be seen. */
  isSeen(event: LogEvent): boolean {
    const level = this.#levels.get(event)
    if (level === undefined || level === 'silent' || this.#log.level === undefined) return false
    const { isLevelEnabled } = this.#log as { isLevelEnabled?: (level: string) => boolean }
    return isLevelEnabled === undefined || isLevelEnabled.call(this.#log, level)
  }

  /** Logs an event; `fields` is only asked for what is seen. */
  write(event: LogEvent, fields: () => object, message: string): void {
    if (!this.isSeen(event)) return
    this.#log[this.#levels.get(event) as LevelName](fields(), message)
  }

  /** Inputs as they may be shown: at any depth, members of these names are hidden. */
  shown(args: readonly unknown[]): unknown {
    return this.#filtered.shown(args)
  }
}
