// Reads of values: `get`, `load` and `loadMany`.
import { allOf } from './all-of.ts'
import type { Pair } from './asked.ts'
import { checkCallOptions, checkEach } from './call-options.ts'
import { optionalDuration, retryMs } from './duration.ts'
import { decodeEntry, type Entry, isOver, isStale, type TagVersion } from './entry.ts'
import { AH_CACHE_LOCKED, AH_CACHE_NOT_FOUND } from './errors.ts'
import { checkKey } from './key.ts'
import { deepFreeze } from './local/deep-freeze.ts'
import { type Found, type Known, type LocalTier, ownWrite } from './local-tier.ts'
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
    if (options !== undefined) return this.#getWith(name, options)
    const known = this.#recall(name)
    if (known !== undefined) return known.answer as Promise<T | undefined>
    return this.#visible(name, undefined, 0, this.#valueOf) as Promise<T | undefined>
  }

  /** Likewise. */
  load<T>(name: string, options?: LoadOptions): Promise<LoadedEntry<T>> {
    if (options !== undefined) return this.#loadWith(name, options)
    const known = this.#recall(name)
    if (known !== undefined) return Promise.resolve(loaded<T>(name, known.entry))
    return this.#visible(name, undefined, 0, this.#loadedOf) as Promise<LoadedEntry<T>>
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

  async #getWith<T>(name: string, options: WaitOptions): Promise<T | undefined> {
    checkCallOptions('get', options, ['retry'])
    const waitMs = retryMs(options.retry, this.#scope.lockMs)
    return (await this.#visible(name, undefined, waitMs, this.#valueOf)) as T | undefined
  }

  async #loadWith<T>(name: string, options: LoadOptions): Promise<LoadedEntry<T>> {
    checkCallOptions('load', options, ['expireMs', 'retry'])
    const expireMs = optionalDuration('expireMs', options.expireMs)
    const waitMs = retryMs(options.retry, this.#scope.lockMs)
    return (await this.#visible(name, expireMs, waitMs, this.#loadedOf)) as LoadedEntry<T>
  }

  async loadMany<T>(names: readonly string[], options?: WaitOptions): Promise<(LoadedEntry<T> | undefined)[]> {
    if (options !== undefined) checkCallOptions('loadMany', options, ['retry'])
    const waitMs = retryMs(options?.retry, this.#scope.lockMs)
    checkEach('loadMany', names)
    for (const name of names) checkKey(name)
    return allOf(
      names.map((name) =>
        this.#visible(name, undefined, waitMs, (entry) => {
          const own = this.#counted(entry)
          return own && loaded<T>(name, own)
        }),
      ),
    )
  }

  /** What is there and may still be handed out by somebody who knows that it is old; counts nothing but the asking. */
  peek(name: string, waitMs: number): Promise<Entry | undefined> {
    return this.#visible(name, undefined, waitMs, (entry) => entry)
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

  readonly #valueOf = (entry: Entry | undefined): unknown => this.#counted(entry)?.value

  readonly #loadedOf = (entry: Entry | undefined, name: string): LoadedEntry<unknown> => {
    const own = this.#counted(entry)
    if (own === undefined) throw new AH_CACHE_NOT_FOUND(shown(name))
    return loaded(name, own)
  }

  /** What `answer` makes of the entry, if this owner may see it. One async function for all: a call pays for each. */
  async #visible<R>(
    name: string,
    expireMs: number | undefined,
    waitMs: number,
    answer: (entry: Entry | undefined, name: string) => R,
  ): Promise<R> {
    checkKey(name)
    const { keys, counts, owner, lockRetryMs } = this.#scope
    counts.gets += 1
    const value = keys.value(name)
    const lock = keys.lock(name)
    let wait: LockWait | undefined
    for (;;) {
      const { entry, holder } = await this.#find(value, lock, expireMs)
      if (holder === null || holder === owner) {
        if (entry === undefined || isOver(entry)) return answer(undefined, name)
        const isCurrent = entry.tags === undefined || (await this.#tags.areCurrent(entry.tags))
        return answer(isCurrent ? entry : undefined, name)
      }
      wait ??= new LockWait(waitMs, lockRetryMs)
      if (!(await wait.again())) throw new AH_CACHE_LOCKED(shown(name))
    }
  }

  /** The one place where a value and its lock are asked for: of the local tier, else of Redis. */
  #find(value: string, lock: string, expireMs: number | undefined): Found | Promise<Found> {
    const { local, changes, traffic } = this.#scope
    if (expireMs !== undefined) return this.#renew(value, lock, expireMs)
    if (local === undefined) return changes.after(value, () => traffic.read(value, lock)).then(this.#open)
    return local.find(value, lock) ?? changes.after(value, () => this.#ask(local, value, lock))
  }

  async #renew(value: string, lock: string, ttl: number): Promise<Found> {
    const { local, changes, traffic, owner } = this.#scope
    const renew = () => traffic.renew({ value, lock, owner, ttl })
    return this.#open(await ownWrite(local, [value], () => changes.after(value, renew)))
  }

  async #ask(local: LocalTier, value: string, lock: string): Promise<Found> {
    const mark = local.asks(value, lock)
    try {
      const found = this.#open(await this.#scope.traffic.read(value, lock))
      if (found.holder === null || found.holder === this.#scope.owner) return local.answered(mark, found)
      // What another locked was not looked at.
      local.failed(mark)
      return found
    } catch (error) {
      local.failed(mark)
      throw error
    }
  }

  readonly #open = ([bytes, holder]: Pair): Found => {
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
