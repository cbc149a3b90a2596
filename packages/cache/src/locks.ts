// Locks: `lock`, `unlock`, `checkLock` and `locks`.
import { scan } from 'fastify-ah-kit/redis'
import { checkCallOptions } from './call-options.ts'
import { checkDuration, retryMs } from './duration.ts'
import { checkKey, checkKeyPrefix } from './key.ts'
import { ownWrite } from './local-tier.ts'
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
    const { traffic, keys, changes, local, counts, owner, lockMs, origin, nextCall } = this.#scope
    const ttl = ms ?? lockMs
    checkDuration('ms', ttl)
    const lock = keys.lock(name)
    const found = [lock, keys.lockCall(name), keys.fence(name)]
    const take = () => traffic.run<number>(takeLock, found, [owner, ttl, `${origin}:${nextCall()}`])
    const isTaken = (await ownWrite(local, [lock], () => changes.after(keys.value(name), take))) === 1
    if (isTaken) counts.locked += 1
    return isTaken
  }

  async unlock(name: string): Promise<boolean> {
    checkKey(name)
    const { traffic, keys, changes, local, owner, origin, nextCall } = this.#scope
    const lock = keys.lock(name)
    const release = () => traffic.run<number>(releaseLock, [lock, keys.lockCall(name)], [owner, origin, nextCall()])
    return (await ownWrite(local, [lock], () => changes.after(keys.value(name), release))) === 1
  }

  async checkLock(name: string, options?: WaitOptions): Promise<boolean> {
    checkKey(name)
    if (options !== undefined) checkCallOptions('checkLock', options, ['retry'])
    const { traffic, keys, changes, owner, lockMs, lockRetryMs } = this.#scope
    const [value, lock] = [keys.value(name), keys.lock(name)]
    const wait = new LockWait(retryMs(options?.retry, lockMs), lockRetryMs)
    do {
      const [, holder] = await changes.after(value, () => traffic.read(value, lock))
      if (holder === null || holder === owner) return true
    } while (await wait.again())
    return false
  }

  async locks(prefix = ''): Promise<HeldLock[]> {
    checkKeyPrefix(prefix)
    const { connection, traffic, keys } = this.#scope
    traffic.flushAll()
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
