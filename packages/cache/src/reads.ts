// Reads of values: `get`, `load` and `loadMany`.
import { allOf } from './all-of.ts'
import type { Pair } from './asked.ts'
import { checkCallOptions, checkEach } from './call-options.ts'
import { optionalDuration, retryMs } from './duration.ts'
import { decodeEntry, type Entry, isOver, isStale, type TagVersion } from './entry.ts'
import { AH_CACHE_LOCKED, AH_CACHE_NOT_FOUND } from './errors.ts'
import { checkKey } from './key.ts'
import { deepFreeze } from './local/deep-freeze.ts'
import { type Found, type Known, ownWrite } from './local-tier.ts'
import { LockWait } from './lock-wait.ts'
import type { Scope } from './scope.ts'
import { shown } from './shown.ts'
import { Tags } from './tags.ts'
import type { LoadedEntry, LoadOptions, WaitOptions } from './types.ts'

/** Each read asks for value and lock in one command, so that no lock comes in between. */
export class Reads {
  readonly #scope: Scope
  readonly #tags: Tags

  readonly #areTagsKnown = (tags: readonly TagVersion[]): boolean => this.#tags.areKnown(tags)

  constructor(scope: Scope) {
    this.#scope = scope
    this.#tags = new Tags(scope)
  }

  /** No async function: what memory answers costs a fraction of a microsecond, the half of which that would be. */
  get<T>(name: string, options?: WaitOptions): Promise<T | undefined> {
    const known = options === undefined ? this.#recall(name) : undefined
    return known === undefined ? this.#get(name, options) : (known.answer as Promise<T | undefined>)
  }

  /** Likewise. */
  load<T>(name: string, options?: LoadOptions): Promise<LoadedEntry<T>> {
    const known = options === undefined ? this.#recall(name) : undefined
    return known === undefined ? this.#load(name, options) : Promise.resolve(loaded<T>(name, known.entry))
  }

  #recall(name: string): Known | undefined {
    const { local, keys, counts } = this.#scope
    if (local === undefined || typeof name !== 'string') return undefined
    const known = local.recall(keys.fullName(name), this.#areTagsKnown)
    if (known !== undefined) {
      counts.gets += 1
      counts.hits += 1
    }
    return known
  }

  async #get<T>(name: string, options?: WaitOptions): Promise<T | undefined> {
    if (options !== undefined) checkCallOptions('get', options, ['retry'])
    const entry = this.#counted(await this.#visible(name, undefined, retryMs(options?.retry, this.#scope.lockMs)))
    return entry?.value as T | undefined
  }

  async #load<T>(name: string, options?: LoadOptions): Promise<LoadedEntry<T>> {
    if (options !== undefined) checkCallOptions('load', options, ['expireMs', 'retry'])
    const expireMs = optionalDuration('expireMs', options?.expireMs)
    const entry = this.#counted(await this.#visible(name, expireMs, retryMs(options?.retry, this.#scope.lockMs)))
    if (entry === undefined) throw new AH_CACHE_NOT_FOUND(shown(name))
    return loaded<T>(name, entry)
  }

  async loadMany<T>(names: readonly string[], options?: WaitOptions): Promise<(LoadedEntry<T> | undefined)[]> {
    if (options !== undefined) checkCallOptions('loadMany', options, ['retry'])
    const waitMs = retryMs(options?.retry, this.#scope.lockMs)
    checkEach('loadMany', names)
    for (const name of names) checkKey(name)
    const found = await allOf(names.map((name) => this.#visible(name, undefined, waitMs)))
    return found.map((any, index) => {
      const entry = this.#counted(any)
      return entry && loaded<T>(names[index] as string, entry)
    })
  }

  /** What is there and may still be handed out by somebody who knows that it is old; counts nothing but the asking. */
  peek(name: string, waitMs: number): Promise<Entry | undefined> {
    return this.#visible(name, undefined, waitMs)
  }

  /** Whether none of its tags was invalidated. */
  hasCurrentTags({ tags }: Entry): boolean | Promise<boolean> {
    return tags === undefined || this.#tags.areCurrent(tags)
  }

  /** What `get` and `load` make of it: what is old is nothing to them. */
  #counted(entry: Entry | undefined): Entry | undefined {
    const { counts } = this.#scope
    if (entry === undefined || isStale(entry)) {
      counts.misses += 1
      return undefined
    }
    counts.hits += 1
    return entry
  }

  async #visible(name: string, expireMs: number | undefined, waitMs: number): Promise<Entry | undefined> {
    checkKey(name)
    const { keys, counts, owner, lockRetryMs } = this.#scope
    counts.gets += 1
    const value = keys.value(name)
    const lock = keys.lock(name)
    let wait: LockWait | undefined
    for (;;) {
      const { entry, holder } = await this.#find(value, lock, expireMs)
      if (holder === null || holder === owner) {
        if (entry === undefined || isOver(entry)) return undefined
        return entry.tags === undefined || (await this.#tags.areCurrent(entry.tags)) ? entry : undefined
      }
      wait ??= new LockWait(waitMs, lockRetryMs)
      if (!(await wait.again())) throw new AH_CACHE_LOCKED(shown(name))
    }
  }

  /** The one place where a value and its lock are asked for: of the local tier, else of Redis. */
  #find(value: string, lock: string, expireMs: number | undefined): Promise<Found> {
    const isPlain = this.#scope.local === undefined && expireMs === undefined
    return isPlain ? this.#ask(value, lock) : this.#findOrRenew(value, lock, expireMs)
  }

  async #ask(value: string, lock: string): Promise<Found> {
    const { changes, traffic } = this.#scope
    await changes.settle(value)
    return this.#open(await traffic.read(value, lock))
  }

  async #findOrRenew(value: string, lock: string, expireMs: number | undefined): Promise<Found> {
    const { local, changes, traffic, owner } = this.#scope
    if (expireMs !== undefined) {
      return ownWrite(local, [value], async () => {
        await changes.settle(value)
        return this.#open(await traffic.renew({ value, lock, owner, ttl: expireMs }))
      })
    }
    const known = local?.find(value, lock)
    if (known !== undefined) return known
    if (local === undefined) return this.#ask(value, lock)
    await changes.settle(value)
    const mark = local.asks(value, lock)
    try {
      const found = this.#open(await traffic.read(value, lock))
      if (found.holder === null || found.holder === owner) return local.answered(mark, found)
      // What another locked was not looked at.
      local.failed(mark)
      return found
    } catch (error) {
      local.failed(mark)
      throw error
    }
  }

  #open([bytes, holder]: Pair): Found {
    const isVisible = holder === null || holder === this.#scope.owner
    if (bytes === null || !isVisible) return { entry: undefined, holder }
    const entry = decodeEntry(bytes)
    if (entry === undefined) this.#scope.counts.unreadable += 1
    // Also what will not be kept, and without tracking too: who changes what `get` answered is to learn it at once.
    else if (this.#scope.local !== undefined) deepFreeze(entry)
    return { entry, holder }
  }
}

function loaded<T>(key: string, { value, createdAt }: Entry): LoadedEntry<T> {
  return { key, value: value as T, createdAt }
}
