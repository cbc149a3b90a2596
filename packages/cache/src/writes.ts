// Writes of values: `save` and `destroy`.
import { checkCallOptions } from './call-options.ts'
import { optionalDuration } from './duration.ts'
import { encodeEntry } from './entry.ts'
import { AH_CACHE_LOCKED } from './errors.ts'
import { checkKey } from './key.ts'
import type { Scope } from './scope.ts'
import { destroyEntry } from './scripts/destroy-entry.ts'
import { saveEntry } from './scripts/save-entry.ts'
import { shown } from './shown.ts'
import type { SaveOptions } from './types.ts'

/** Each write checks the lock in the same step. */
export class Writes {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async save(name: string, value: unknown, options?: number | null | SaveOptions): Promise<true> {
    checkKey(name)
    const expireMs = expireMsOf(options)
    const bytes = encodeEntry(value, Date.now())
    const { connection, keys, lists, owner } = this.#scope
    await lists.settle(keys.value(name))
    const args = expireMs === undefined ? [owner, bytes] : [owner, bytes, expireMs]
    const answer = await connection.run<number>(saveEntry, [keys.value(name), keys.lock(name)], args)
    if (answer === 0) throw new AH_CACHE_LOCKED(shown(name))
    return true
  }

  async destroy(name: string): Promise<boolean> {
    checkKey(name)
    const { connection, keys, lists, owner, origin, nextCall } = this.#scope
    const value = keys.value(name)
    await lists.settle(value)
    const found = [value, keys.lock(name), keys.destroyCalls(name)]
    const answer = await connection.run<number>(destroyEntry, found, [owner, origin, nextCall()])
    if (answer === 0) throw new AH_CACHE_LOCKED(shown(name))
    return answer === 1
  }
}

function expireMsOf(options: number | null | SaveOptions | undefined): number | undefined {
  if (typeof options !== 'object' || options === null) return optionalDuration('expireMs', options)
  checkCallOptions('save', options, ['expireMs'])
  return optionalDuration('expireMs', options.expireMs)
}
