// Writes that must be applied once, although a client sends an unanswered command again after a cut.
import { randomUUID } from 'node:crypto'
import type { RedisArgument } from './command.ts'
import type { RedisConnection } from './connection.ts'
import { AH_KIT_REDIS_DOWN, AH_KIT_REDIS_UNCERTAIN } from './errors.ts'
import type { GuardedScript } from './script.ts'

/** The calls of one record: the last one, and which failed since Redis did not answer. */
interface Lane {
  last: Promise<unknown>
  lostAt: number
  lostBy: Error | undefined
}

/**
 * Runs guarded scripts: each call carries a number, the script keeps the last number and its answer in a record, and
 * a repeat is answered from it. One call per record at a time, in the order of calls, or the record could not hold
 * the answer of an earlier one. A record belongs to one guard: the guard's own id ends its key, since another guard (of
 * another app in this process, say) counts for itself.
 */
export class RepeatGuard {
  readonly #connection: RedisConnection
  readonly #id = randomUUID()
  readonly #lanes = new Map<string, Lane>()
  #number = 0

  constructor(connection: RedisConnection) {
    this.#connection = connection
  }

  /**
   * `record` is what the key of the record begins with, with the tag of `keys` on Cluster. Rejects with
   * `AH_KIT_REDIS_UNCERTAIN` if no answer came: then it was applied once or not at all, and will not be later, once
   * another call of the record was. With `AH_KIT_REDIS_DOWN` too, and never sent, if it waited for another call of the
   * record that had no answer in all its time: else those that wait for each other would add up their times.
   */
  run<T>(script: GuardedScript, record: string, keys: readonly string[], args: readonly RedisArgument[]): Promise<T> {
    const before = this.#lanes.get(record)
    const lane = before ?? { last: Promise.resolve(), lostAt: Number.NEGATIVE_INFINITY, lostBy: undefined }
    const send = (): Promise<T> => {
      this.#number += 1
      const sent = this.#connection.run<T>(script, [`${record}:${this.#id}`, ...keys], [this.#number, ...args])
      // Before whoever waits for it hears of it.
      void sent.catch((error: Error) => noteOutage(lane, error))
      return sent
    }
    const askedAt = performance.now()
    const sendUnlessLost = (): Promise<T> =>
      lane.lostAt < askedAt ? send() : Promise.reject(new AH_KIT_REDIS_DOWN(script.name, { cause: lane.lostBy }))
    const answer = before === undefined ? send() : lane.last.then(sendUnlessLost)
    // The lane goes on after a failure; who called hears of it.
    const settled = answer.then(ignore, ignore).then(() => {
      if (lane.last === settled) this.#lanes.delete(record)
    })
    lane.last = settled
    this.#lanes.set(record, lane)
    return answer
  }
}

function ignore(): void {}

/** If it says that Redis did not answer in all the time that a call has. */
function noteOutage(lane: Lane, error: Error): void {
  if (!(error instanceof AH_KIT_REDIS_DOWN || error instanceof AH_KIT_REDIS_UNCERTAIN)) return
  lane.lostAt = performance.now()
  lane.lostBy = error
}
