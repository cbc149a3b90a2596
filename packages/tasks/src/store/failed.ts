// The state "failed": the list of what failed for good.
import { RepeatGuard } from 'fastify-ah-kit/redis'
import { AH_TASKS_NOT_FAILED, AH_TASKS_PAYLOAD } from '../errors.ts'
import { decodeFailure, payloadOf, textOfFailure } from '../failure.ts'
import { withoutMetaOf } from '../payload.ts'
import { checkQueueName } from '../queue-name.ts'
import type { Scope } from '../scope.ts'
import { dropItems } from '../scripts/drop-items.ts'
import { retryFailed } from '../scripts/retry-failed.ts'
import type { FailedJob } from '../types.ts'

export class FailedJobs {
  readonly #scope: Scope
  readonly #guard: RepeatGuard

  constructor(scope: Scope) {
    this.#scope = scope
    this.#guard = new RepeatGuard(scope.connection)
  }

  count(): Promise<number> {
    const { connection, keys } = this.#scope
    return connection.read<number>('LLEN', [keys.failed])
  }

  /** From `start` to `stop`, both included, negative ones counted from the end. */
  async list(start: number, stop: number): Promise<FailedJob[]> {
    const { connection, keys } = this.#scope
    return (await connection.read<string[]>('LRANGE', [keys.failed, start, stop])).map(decodeFailure)
  }

  /** Removes one entry; answers how many there were (0 or 1). */
  async remove(entry: FailedJob): Promise<number> {
    const { keys } = this.#scope
    return this.#guard.run<number>(dropItems, keys.calls, [keys.failed], [1, textOfFailure(entry)])
  }

  /**
   * Removes one entry and enqueues its job again, in one step; throws `AH_TASKS_NOT_FAILED` if it is gone, and
   * `AH_TASKS_PAYLOAD` if it holds nothing that could run.
   */
  async retry(entry: FailedJob): Promise<void> {
    const { keys } = this.#scope
    const text = textOfFailure(entry)
    const { payload } = entry
    if (typeof payload?.class !== 'string' || payload.class === '') {
      throw new AH_TASKS_PAYLOAD(
        'this entry holds no job that could run: read its payload, and remove it with removeFailed',
      )
    }
    const queue = checkQueueName(entry.queue)
    // The bytes themselves where they are known: parsing may have lost a big integer.
    const own = payloadOf(text)
    const bare =
      own === undefined ? JSON.stringify({ class: payload.class, queue, args: payload.args ?? [] }) : withoutMetaOf(own)
    const words = [keys.root, text, queue, bare]
    if ((await this.#guard.run<number>(retryFailed, keys.calls, [keys.failed], words)) === 0)
      throw new AH_TASKS_NOT_FAILED()
  }
}
