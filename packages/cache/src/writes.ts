// Writes of values: `save`, `saveMany` and `destroy`.
import { allOf } from './all-of.ts'
import { checkCallOptions, checkEach } from './call-options.ts'
import { optionalDuration } from './duration.ts'
import { encodeEntry } from './entry.ts'
import { AH_CACHE_LOCKED, AH_CACHE_OPTIONS } from './errors.ts'
import { checkKey } from './key.ts'
import { ownWrite } from './local-tier.ts'
import type { Scope } from './scope.ts'
import { destroyEntry } from './scripts/destroy-entry.ts'
import { shown } from './shown.ts'
import type { SaveItem, SaveOptions } from './types.ts'

/** Each write checks the lock in the same step. */
export class Writes {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async save(name: string, value: unknown, options?: number | null | SaveOptions): Promise<true> {
    checkKey(name)
    return this.#store(name, encodeEntry(value, Date.now()), expireMsOf(options))
  }

  /** What is refused is refused before anything is sent. */
  async saveMany(items: readonly SaveItem[]): Promise<true> {
    checkEach('saveMany', items)
    const encoded = items.map((item) => {
      if (!Array.isArray(item)) {
        throw new AH_CACHE_OPTIONS(`saveMany: expected [key, value, expireMs or options], got ${shown(item)}`)
      }
      const [name, value, options] = item as SaveItem
      checkKey(name)
      return [name, encodeEntry(value, Date.now()), expireMsOf(options)] as const
    })
    await allOf(encoded.map(([name, bytes, expireMs]) => this.#store(name, bytes, expireMs)))
    return true
  }

  async destroy(name: string): Promise<boolean> {
    checkKey(name)
    const { traffic, keys, lists, local, owner, origin, nextCall } = this.#scope
    const value = keys.value(name)
    const answer = await ownWrite(local, [value], async () => {
      await lists.settle(value)
      const found = [value, keys.lock(name), keys.destroyCalls(name)]
      return traffic.run<number>(destroyEntry, found, [owner, origin, nextCall()])
    })
    if (answer === 0) throw new AH_CACHE_LOCKED(shown(name))
    return answer === 1
  }

  async #store(name: string, bytes: string, ttl: number | undefined): Promise<true> {
    const { traffic, keys, lists, local, owner } = this.#scope
    const value = keys.value(name)
    const answer = await ownWrite(local, [value], async () => {
      await lists.settle(value)
      return traffic.save({ value, lock: keys.lock(name), owner, bytes, ttl })
    })
    if (answer === 0) throw new AH_CACHE_LOCKED(shown(name))
    return true
  }
}

function expireMsOf(options: number | null | SaveOptions | undefined): number | undefined {
  if (typeof options !== 'object' || options === null) return optionalDuration('expireMs', options)
  checkCallOptions('save', options, ['expireMs'])
  return optionalDuration('expireMs', options.expireMs)
}
