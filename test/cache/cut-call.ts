// Owns calls whose answer is cut off on its way: on a connection of the cache's own, and on a client that was handed in.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Cache } from 'fastify-ah-cache'
import { atEnd, type RedisServer, startProxy, type TcpProxy, type TestScope } from 'fastify-ah-test-support'
import { Redis } from 'ioredis'
import { openCache } from './open-cache.ts'

export interface Subject {
  readonly cache: Cache
  readonly proxy: TcpProxy
}

/** A warm cache on an empty Redis, behind a proxy. */
export type Prepare = (scope: TestScope) => Promise<Subject>

/** Registers the tests for both kinds of clients. */
export function describeBothClients(redis: RedisServer, tests: (prepare: Prepare) => void): void {
  const preparing =
    (open: (proxy: TcpProxy, scope: TestScope) => Promise<Cache>): Prepare =>
    async (scope) => {
      await redis.client().flushall()
      const proxy = await startProxy({ target: redis }, scope)
      const cache = await open(proxy, scope)
      await warm(cache)
      return { cache, proxy }
    }
  describe('a connection of ours', () => tests(preparing((proxy, scope) => openCache({ redis: proxy.url }, scope))))
  describe('a client that was handed in', () => {
    tests(
      preparing((proxy, scope) => {
        const handed = new Redis(proxy.url)
        handed.on('error', () => undefined)
        atEnd(scope, () => handed.disconnect())
        return openCache({ redis: handed }, scope)
      }),
    )
  })
}

/** Runs `call`, cuts its answer, has `meanwhile` happen before the client can come back, and answers what the call did. */
export async function cut<T>(
  { proxy }: Subject,
  command: RegExp,
  call: () => Promise<T>,
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<T> {
  const isCut = proxy.cutAnswers({ after: (_, [name]) => command.test(name ?? '') })
  const outcome = Promise.allSettled([call()])
  proxy.refuse()
  assert.equal(await isCut, 1)
  await meanwhile()
  await proxy.accept()
  const [result] = await outcome
  if (result.status === 'rejected') throw result.reason
  return result.value
}

/** Every script once, so that the answer that is cut is the script's and not "no such script". */
async function warm(cache: Cache): Promise<void> {
  await cache.save('warm', 1)
  await cache.load('warm', { expireMs: 1_000 })
  await cache.destroy('warm')
  await cache.lock('warm')
  await cache.unlock('warm')
  await cache.push('warm list', 1)
  await cache.pop('warm list')
  await cache.increment('warm counter')
  await cache.withLock('warm', {}, () => 1)
  await cache.getOrSet('warm produced', { expireMs: 1_000 }, () => 1)
  await cache.invalidateTags(['warm'])
  await Promise.all([cache.save('warm', 1), cache.save('warm too', 1)])
  await cache.clear()
}
