// A consumer of fastify-ah-cache: what its types promise, and what they refuse.
import Fastify from 'fastify'
import fastifyAhCacheDefault, { type CacheOptions, fastifyAhCache } from 'fastify-ah-cache'
import plugin from 'fastify-ah-cache/plugin'

interface User {
  readonly name: string
}

const options: CacheOptions = { lockMs: 5_000, prefix: 'mine:' }
const app = Fastify()
await app.register(fastifyAhCacheDefault)
await app.register(fastifyAhCache, options)
await app.register(plugin, { decorator: 'second' })
// @ts-expect-error: there is no such option
await app.register(fastifyAhCache, { lockSeconds: 5 })

const saved: true = await app.cache.save('user:1', { name: 'Ada' }, 60_000)
const loaded = await app.cache.load<User>('user:1', { retry: true })
const name: string = loaded.value.name
const found: User | undefined = await app.cache.get<User>('user:1')
// @ts-expect-error: a miss is undefined
const surely: User = await app.cache.get<User>('user:1')
// @ts-expect-error: a key is a text
await app.cache.save(1, name)

export { found, saved, surely }
