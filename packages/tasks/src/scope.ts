// What the parts of one registration share.
import type { FastifyBaseLogger } from 'fastify'
import type { RedisConnection } from 'fastify-ah-kit/redis'
import type { EventLog } from './event-log.ts'
import type { TaskKeys } from './keys.ts'

/** Looks again after those who were woken. */
export interface Reminded {
  /** Somebody was woken for these queues. */
  noteQueues(names: Iterable<string>): void
  /** These processes were handed a job each. */
  noteProcesses(bootIds: Iterable<string>): void
  close(): void
}

/** The surroundings of a registration. */
export interface Scope {
  readonly connection: RedisConnection
  readonly keys: TaskKeys
  readonly log: FastifyBaseLogger
  /** What happens to jobs and schedules, by its levels. */
  readonly eventLog: EventLog
  readonly reminder: Reminded
  /** This process: what its claims and its lease are filed under. One registration has its own, see `owner`. */
  readonly bootId: string
  /** `<host>~ah:<pid>-<boot id>`: its name as a Resque worker. */
  readonly workerName: string
  readonly leaseMs: number
  readonly maxFailed: number
  readonly trackMs: number
}
