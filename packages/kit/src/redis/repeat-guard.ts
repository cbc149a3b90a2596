// Writes that must be applied once, although a client sends an unanswered command again after a cut.
import { randomUUID } from 'node:crypto'
import type { RedisArgument } from './command.ts'
import type { RedisConnection } from './connection.ts'
import type { GuardedScript } from './script.ts'

/**
 * Runs guarded scripts: each call carries a number, the script keeps the last number and its answer in a record, and
 * a repeat is answered from it. One call per record at a time, in the order of calls, or the record could not hold
 * the answer of an earlier one. A record belongs to one guard: the guard's own id ends its key, since another guard (of
 * another app in this process, say) counts for itself.
 */
export class RepeatGuard {
  readonly #connection: RedisConnection
  readonly #id = randomUUID()
  readonly #lanes = new Map<string, Promise<unknown>>()
  #number = 0

  constructor(connection: RedisConnection) {
    this.#connection = connection
  }

  /**
   * `record` is what the key of the record begins with, with the tag of `keys` on Cluster. Rejects with
   * `AH_KIT_REDIS_UNCERTAIN` if no answer came: then it was applied once or not at all, and will not be later, once
   * another call of the record was.
   */
  run<T>(script: GuardedScript, record: string, keys: readonly string[], args: readonly RedisArgument[]): Promise<T> {
    const before = this.#lanes.get(record)
    const send = (): Promise<T> => {
      this.#number += 1
      return this.#connection.run<T>(script, [`${record}:${this.#id}`, ...keys], [this.#number, ...args])
    }
    const answer = before === undefined ? send() : before.then(send)
    // The lane goes on after a failure; who called hears of it.
    const settled = answer.then(ignore, ignore).then(() => {
      if (this.#lanes.get(record) === settled) this.#lanes.delete(record)
    })
    this.#lanes.set(record, settled)
    return answer
  }
}

function ignore(): void {}
