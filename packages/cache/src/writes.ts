// Writes of values: `save`, `saveMany` and `destroy`.
import { allOf } from './all-of.ts'
import { checkEach } from './call-options.ts'
import { entryOf, type TagVersion } from './entry.ts'
import { AH_CACHE_FENCED, AH_CACHE_LOCKED, AH_CACHE_OPTIONS } from './errors.ts'
import { toJson } from './json-text.ts'
import { checkKey } from './key.ts'
import { ownWrite } from './local-tier.ts'
import { type SavePlan, savePlanOf } from './save-plan.ts'
import type { Scope } from './scope.ts'
import { destroyEntry } from './scripts/destroy-entry.ts'
import { saveFencedEntry } from './scripts/save-fenced-entry.ts'
import { shown } from './shown.ts'
import { Tags } from './tags.ts'
import type { SaveItem, SaveOptions } from './types.ts'

/** Each write checks the lock in the same step. */
export class Writes {
  readonly #scope: Scope
  readonly #tags: Tags

  constructor(scope: Scope) {
    this.#scope = scope
    this.#tags = new Tags(scope)
  }

  async save(name: string, value: unknown, options?: number | null | SaveOptions): Promise<true> {
    checkKey(name)
    const json = toJson(value)
    const plan = savePlanOf(options)
    return this.#noted(name, plan, await this.#store(name, json, plan))
  }

  /** What is refused is refused before anything is sent. */
  async saveMany(items: readonly SaveItem[]): Promise<true> {
    checkEach('saveMany', items)
    const checked = items.map((item) => {
      if (!Array.isArray(item)) {
        throw new AH_CACHE_OPTIONS(`saveMany: expected [key, value, expireMs or options], got ${shown(item)}`)
      }
      const [name, value, options] = item as SaveItem
      checkKey(name)
      return [name, toJson(value), savePlanOf(options)] as const
    })
    await allOf(checked.map(async ([name, json, plan]) => this.#noted(name, plan, await this.#store(name, json, plan))))
    return true
  }

  async destroy(name: string): Promise<boolean> {
    checkKey(name)
    const { traffic, keys, changes, local, owner, origin, nextCall } = this.#scope
    const value = keys.value(name)
    const found = [value, keys.lock(name), keys.destroyCalls(name), keys.produce(name)]
    const destroy = () => traffic.run<number>(destroyEntry, found, [owner, origin, nextCall()])
    const answer = await ownWrite(local, [value], () => changes.afterSaves(value, destroy))
    if (answer === 0) throw new AH_CACHE_LOCKED(shown(name))
    return answer === 1
  }

  /** No async function: it runs for every save. Answers what the scripts do. */
  #store(name: string, json: string, plan: SavePlan): Promise<number> {
    const { keys, changes, local } = this.#scope
    const value = keys.value(name)
    const { tags, token } = plan
    if (tags !== undefined || token !== undefined) {
      return ownWrite(local, [value], () => this.#storeMarked(name, json, plan))
    }
    const send = () => this.#send(name, value, entryOf(json, Date.now()), plan)
    return ownWrite(local, [value], () => changes.after(value, send))
  }

  #noted(name: string, { token }: SavePlan, answer: number): true {
    if (answer === 0) throw new AH_CACHE_LOCKED(shown(name))
    if (answer === 2) throw new AH_CACHE_FENCED(shown(name), String(token))
    this.#scope.counts.saves += 1
    return true
  }

  /** With tags, a token, or both: what leaves by another way than all other saves, or in a second trip. */
  #storeMarked(name: string, json: string, plan: SavePlan): Promise<number> {
    const { keys, changes } = this.#scope
    const value = keys.value(name)
    const send = (tags?: TagVersion[]) => this.#send(name, value, entryOf(json, Date.now(), tags && { tags }), plan)
    // The versions are asked for in the very call: whoever invalidates a tag from now on has the value be gone at once.
    const asked = plan.tags && Promise.all([this.#tags.versions(plan.tags), changes.settle(value)])
    const stored = asked === undefined ? changes.after(value, () => send()) : asked.then(([tags]) => send(tags))
    // What is asked of the key from now on comes behind it.
    changes.hold(value, stored)
    return stored
  }

  #send(name: string, value: string, bytes: string, { ttl, token }: SavePlan): Promise<number> {
    const { traffic, keys, owner } = this.#scope
    const lock = keys.lock(name)
    if (token === undefined) return traffic.save({ value, lock, owner, bytes, ttl })
    const args = [owner, bytes, token, ...(ttl === undefined ? [] : [ttl])]
    return traffic.run<number>(saveFencedEntry, [value, lock, keys.fence(name)], args)
  }
}
