// Works under a lock for as long as it is held, saving with its token. Arguments: the URL of Redis, key and ms of the
// lock. Tells its token, whether its signal was aborted, what became of a late save, and how withLock ended.
import process from 'node:process'
import fastify from 'fastify'
import { fastifyAhCache } from 'fastify-ah-cache'

const [redis = '', key = '', ms] = process.argv.slice(2)
const app = fastify()
await app.register(fastifyAhCache, { redis })
await app.ready()

const outcome = await app.cache
  .withLock(key, { ms: Number(ms), waitMs: 60_000 }, async (signal, token) => {
    await app.cache.save(key, 'of the first', { fencingToken: token })
    process.send?.({ token })
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    // Without the owner's own lock in its way the token alone decides.
    const late = await app.cache
      .withOwner('whoever holds it')
      .save(key, 'too late', { fencingToken: token })
      .catch((error) => (error as { code?: string }).code)
    process.send?.({ aborted: (signal.reason as { code?: string }).code, late })
    return 'done'
  })
  .catch((error) => (error as { code?: string }).code)
process.send?.({ outcome })
