// The public types, checked by compiling them.
import fastify from 'fastify'
import {
  type Cache,
  type CacheOptions,
  type CacheRegistry,
  type CacheStats,
  type Frozen,
  fastifyAhCache,
  type HeldLock,
  type LoadedEntry,
  type LocalStats,
} from 'fastify-ah-cache'
import { run } from 'fastify-ah-cache/cli'
import plain from 'fastify-ah-cache/plugin'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <T extends true>(): T | undefined => undefined

interface User {
  name: string
}

export async function checkTypes(cache: Cache): Promise<void> {
  const app = fastify()
  await app.register(fastifyAhCache)
  await app.register(fastifyAhCache, { redis: 'redis://localhost', prefix: 'a:', lockMs: 1 })
  await app.register(plain, { decorator: 'sessions' })
  // @ts-expect-error lockMs is a number
  await app.register(fastifyAhCache, { lockMs: '1' })
  // @ts-expect-error there is no such option
  await app.register(fastifyAhCache, { lockDuration: 1 })

  holds<Equal<typeof app.cache, Cache>>()
  holds<Equal<Awaited<ReturnType<typeof cache.load>>, LoadedEntry<unknown>>>()
  const user = await cache.get<User>('k')
  holds<Equal<typeof user, User | undefined>>()
  const item = await cache.pop<User>('k')
  holds<Equal<typeof item, User | null>>()
  const loaded = await cache.load<User>('k', { expireMs: 1, retry: true })
  holds<Equal<typeof loaded, LoadedEntry<User>>>()
  holds<Equal<Awaited<ReturnType<typeof cache.locks>>, HeldLock[]>>()
  const frozen = await cache.get<Frozen<{ tags: string[]; by: User }>>('k')
  holds<
    Equal<typeof frozen, { readonly tags: readonly string[]; readonly by: { readonly name: string } } | undefined>
  >()
  holds<Equal<typeof cache.local, LocalStats | undefined>>()
  const inner: Cache = cache.namespace('n').withOwner('o')

  await inner.save('k', { name: 'n' })
  await inner.save('k', 1, 1)
  await inner.save('k', 1, null)
  await inner.save('k', 1, { expireMs: 1 })
  await inner.save('k', 1, { expireMs: 1, jitter: 0.1, tags: ['a'], fencingToken: 1 })
  await inner.saveMany([
    ['k', 1],
    ['l', { any: 'thing' }, 1_000],
    ['m', 2, { tags: ['a'] }],
  ])
  const many = await inner.loadMany<User>(['k', 'l'])
  holds<Equal<typeof many, (LoadedEntry<User> | undefined)[]>>()
  const made = await inner.getOrSet('k', { expireMs: 1, staleMs: 1, tags: ['a'] }, async (signal) => {
    holds<Equal<typeof signal, AbortSignal>>()
    return { name: 'n' }
  })
  holds<Equal<typeof made, { name: string }>>()
  const user2 = await inner.getOrSet<User>('k', {}, () => ({ name: 'n' }))
  holds<Equal<typeof user2, User>>()
  const done = await inner.withLock('k', { ms: 1_000, waitMs: 1 }, (signal, token) => {
    holds<Equal<[typeof signal, typeof token], [AbortSignal, number]>>()
    return 'done'
  })
  holds<Equal<typeof done, string>>()
  holds<Equal<Awaited<ReturnType<typeof inner.increment>>, number>>()
  await inner.increment('k', -1, { expireMs: 1 })
  await inner.invalidateTags(['a'])
  const { hits, local }: CacheStats = inner.stats()
  holds<Equal<typeof hits, number>>()
  holds<Equal<typeof local, LocalStats | undefined>>()
  const runs: (args: readonly string[]) => Promise<number> = run
  await runs(['keys'])
  // @ts-expect-error counters are read, not set
  inner.stats().hits = 1
  // @ts-expect-error tags are texts
  await inner.save('k', 1, { tags: [1] })
  // @ts-expect-error increments have no tags
  await inner.increment('k', 1, { tags: ['a'] })
  // @ts-expect-error an item is a key and a value
  await inner.saveMany([['k']])
  // @ts-expect-error a producer is needed
  await inner.getOrSet('k', { expireMs: 1 })
  // @ts-expect-error withLock has waitMs
  await inner.withLock('k', { retry: true }, () => 1)

  // @ts-expect-error ActionHero's name
  await inner.load('k', { expireTimeMS: 1 })
  // @ts-expect-error get renews nothing
  await inner.get('k', { expireMs: 1 })
  // @ts-expect-error a key is a text
  await inner.get(7)
}

export const options: CacheOptions = { embedded: true, local: { max: 1000, ttlMs: 60_000 } }
// @ts-expect-error without a bound memory would grow for ever
export const boundless: CacheOptions = { local: {} }
export type Registry = CacheRegistry
