// Locks: `lock`, `unlock`, `checkLock` and `locks`.
import { scan } from 'fastify-ah-kit/redis'
import { checkCallOptions } from './call-options.ts'
import { checkDuration, retryMs } from './duration.ts'
import { checkKey, checkKeyPrefix } from './key.ts'
import { LockWait } from './lock-wait.ts'
import type { Scope } from './scope.ts'
import { releaseLock } from './scripts/release-lock.ts'
import { takeLock } from './scripts/take-lock.ts'
import type { HeldLock, WaitOptions } from './types.ts'

/** A lock is a Redis key whose value is its owner, as ActionHero keeps it. */
export class Locks {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async lock(name: string, ms?: number): Promise<boolean> {
    checkKey(name)
    const { connection, keys, lists, owner, lockMs, origin, nextCall } = this.#scope
    const ttl = ms ?? lockMs
    checkDuration('ms', ttl)
    await lists.settle(keys.value(name))
    const call = `${origin}:${nextCall()}`
    return (await connection.run(takeLock, [keys.lock(name), keys.lockCall(name)], [owner, ttl, call])) === 1
  }

  async unlock(name: string): Promise<boolean> {
    checkKey(name)
    const { connection, keys, lists, owner, origin, nextCall } = this.#scope
    await lists.settle(keys.value(name))
    const found = [keys.lock(name), keys.lockCall(name)]
    return (await connection.run(releaseLock, found, [owner, origin, nextCall()])) === 1
  }

  async checkLock(name: string, options?: WaitOptions): Promise<boolean> {
    checkKey(name)
    if (options !== undefined) checkCallOptions('checkLock', options, ['retry'])
    const { connection, keys, lists, owner, lockMs, lockRetryMs } = this.#scope
    await lists.settle(keys.value(name))
    const wait = new LockWait(retryMs(options?.retry, lockMs), lockRetryMs)
    do {
      const holder = await connection.read<string | null>('GET', [keys.lock(name)])
      if (holder === null || holder === owner) return true
    } while (await wait.again())
    return false
  }

  async locks(prefix = ''): Promise<HeldLock[]> {
    checkKeyPrefix(prefix)
    const { connection, keys } = this.#scope
    const held = new Map<string, HeldLock>()
    for await (const page of scan(connection, { match: keys.lockPattern(prefix), type: 'string' })) {
      for (const lock of await this.#look(page)) held.set(lock.key, lock)
    }
    return [...held.values()]
  }

  async #look(page: readonly string[]): Promise<HeldLock[]> {
    const { connection, keys } = this.#scope
    const questions = page.flatMap((key) => [
      { command: 'GET', args: [key] },
      { command: 'PTTL', args: [key] },
    ])
    const answers = await connection.pipeline(questions, { isWrite: false })
    return page.flatMap((key, index) => {
      const [owner, ttl] = answers.slice(index * 2)
      if (owner instanceof Error) throw owner
      if (ttl instanceof Error) throw ttl
      // Ended since it was listed.
      if (typeof owner !== 'string') return []
      return [{ key: keys.nameOfLock(key), owner, expiresInMs: Number(ttl) < 0 ? undefined : Number(ttl) }]
    })
  }
}
