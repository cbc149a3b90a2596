// What the parts of one registration share.
import type { FastifyBaseLogger } from 'fastify'
import type { RedisConnection } from 'fastify-ah-kit/redis'
import type { EventLog } from './event-log.ts'
import type { TaskKeys } from './keys.ts'
import type { Reminder } from './reminder.ts'

/** The surroundings of a registration. */
export interface Scope {
  readonly connection: RedisConnection
  readonly keys: TaskKeys
  readonly log: FastifyBaseLogger
  /** What happens to jobs and schedules, by its levels. */
  readonly eventLog: EventLog
  /** Hears of every queue that is filled. */
  readonly reminder: Reminder
  /** This process: what its claims and its lease are filed under. One registration has its own, see `owner`. */
  readonly bootId: string
  /** `<host>~ah:<pid>-<boot id>`: its name as a Resque worker. */
  readonly workerName: string
  readonly leaseMs: number
  readonly maxFailed: number
  readonly trackMs: number
}
