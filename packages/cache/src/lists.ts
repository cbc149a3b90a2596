// Lists: `push`, `pop` and `listLength`.

import type { ChangeAnswer } from './change-queue.ts'
import { AH_CACHE_LOCKED, AH_CACHE_NOT_A_LIST } from './errors.ts'
import { checkKey } from './key.ts'
import { decodeItem, encodeItem } from './list-item.ts'
import type { Scope } from './scope.ts'
import { shown } from './shown.ts'

/** First in, first out. What is asked of one list in one tick leaves together, in the order of the calls. */
export class Lists {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async push(name: string, data: unknown): Promise<true> {
    checkKey(name)
    await this.#ask(name, 'push', encodeItem(data))
    return true
  }

  async pop<T>(name: string): Promise<T | null> {
    checkKey(name)
    for (;;) {
      const answer = await this.#ask(name, 'pop')
      if (typeof answer !== 'string') return null
      const item = decodeItem(answer)
      if (item !== undefined) return item.data as T
      // Not null: that would tell a consumer that the list is empty.
      this.#scope.counts.unreadable += 1
    }
  }

  async listLength(name: string): Promise<number> {
    checkKey(name)
    const { connection, traffic, keys, changes } = this.#scope
    const list = keys.value(name)
    try {
      return await changes.after(list, () => {
        traffic.flush(list)
        return connection.read<number>('LLEN', [list])
      })
    } catch (error) {
      throw isWrongType(error) ? new AH_CACHE_NOT_A_LIST(shown(name), { cause: error }) : error
    }
  }

  async #ask(name: string, verb: 'push' | 'pop', what = ''): Promise<ChangeAnswer> {
    const { keys, changes, owner } = this.#scope
    const answer = await changes.add(keys, name, { verb, owner, what })
    if (answer === -1) throw new AH_CACHE_NOT_A_LIST(shown(name))
    if (answer === 0) throw new AH_CACHE_LOCKED(shown(name))
    return answer
  }
}

function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.message.startsWith('WRONGTYPE')
}
