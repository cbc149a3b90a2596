// Counters: `increment`.
import { checkCallOptions } from './call-options.ts'
import { optionalDuration } from './duration.ts'
import { AH_CACHE_LOCKED, AH_CACHE_NOT_A_NUMBER, AH_CACHE_VALUE } from './errors.ts'
import { checkKey } from './key.ts'
import type { Scope } from './scope.ts'
import { shown } from './shown.ts'
import type { IncrementOptions } from './types.ts'

const tooFar = 'the sum would leave the whole numbers from -(2^53 - 1) to 2^53 - 1'

/** A counter is a value like any other; what is added to one key in one tick leaves together. */
export class Counters {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async increment(name: string, by = 1, options?: IncrementOptions): Promise<number> {
    checkKey(name)
    if (!Number.isSafeInteger(by)) {
      throw new AH_CACHE_VALUE(`increment: expected a whole number from -(2^53 - 1) to 2^53 - 1, got ${shown(by)}`)
    }
    if (options !== undefined) checkCallOptions('increment', options, ['expireMs'])
    const ttl = optionalDuration('expireMs', options?.expireMs) ?? '-'
    const { keys, changes, owner } = this.#scope
    const what = `${by} ${ttl} ${Date.now()}`
    const answer = await changes.add(keys, name, { verb: 'increment', owner, what })
    if (answer === 0) throw new AH_CACHE_LOCKED(shown(name))
    if (answer === -2) throw new AH_CACHE_NOT_A_NUMBER(shown(name), 'it holds no whole number')
    if (answer === -3) throw new AH_CACHE_NOT_A_NUMBER(shown(name), tooFar)
    return Number(answer)
  }
}
