// Reads of values: `get` and `load`.
import { checkCallOptions } from './call-options.ts'
import { optionalDuration, retryMs } from './duration.ts'
import { decodeEntry, type Entry } from './entry.ts'
import { AH_CACHE_LOCKED, AH_CACHE_NOT_FOUND } from './errors.ts'
import { checkKey } from './key.ts'
import { LockWait } from './lock-wait.ts'
import type { Scope } from './scope.ts'
import { loadAndRenew } from './scripts/load-and-renew.ts'
import { shown } from './shown.ts'
import type { LoadedEntry, LoadOptions, WaitOptions } from './types.ts'

type Found = [bytes: string | null, holder: string | null]

/** Each read asks for value and lock in one command, so that no lock comes in between. */
export class Reads {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async get<T>(name: string, options?: WaitOptions): Promise<T | undefined> {
    if (options !== undefined) checkCallOptions('get', options, ['retry'])
    const entry = await this.#read(name, undefined, retryMs(options?.retry, this.#scope.lockMs))
    return entry?.value as T | undefined
  }

  async load<T>(name: string, options?: LoadOptions): Promise<LoadedEntry<T>> {
    if (options !== undefined) checkCallOptions('load', options, ['expireMs', 'retry'])
    const expireMs = optionalDuration('expireMs', options?.expireMs)
    const entry = await this.#read(name, expireMs, retryMs(options?.retry, this.#scope.lockMs))
    if (entry === undefined) throw new AH_CACHE_NOT_FOUND(shown(name))
    return { key: name, value: entry.value as T, createdAt: entry.createdAt }
  }

  async #read(name: string, expireMs: number | undefined, waitMs: number): Promise<Entry | undefined> {
    checkKey(name)
    const { keys, lists, owner, lockRetryMs } = this.#scope
    const found = [keys.value(name), keys.lock(name)]
    await lists.settle(keys.value(name))
    let wait: LockWait | undefined
    for (;;) {
      const [bytes, holder] = await this.#ask(found, expireMs)
      if (holder === null || holder === owner) return bytes === null ? undefined : this.#open(bytes)
      wait ??= new LockWait(waitMs, lockRetryMs)
      if (!(await wait.again())) throw new AH_CACHE_LOCKED(shown(name))
    }
  }

  #ask(keys: readonly string[], expireMs: number | undefined): Promise<Found> {
    const { connection, owner } = this.#scope
    if (expireMs === undefined) return connection.read<Found>('MGET', keys)
    return connection.run<Found>(loadAndRenew, keys, [owner, expireMs])
  }

  #open(bytes: string): Entry | undefined {
    const entry = decodeEntry(bytes)
    if (entry === undefined) this.#scope.unreadable.add()
    else if (entry.expiresAt === undefined || entry.expiresAt > Date.now()) return entry
    return undefined
  }
}
