// Owns an app that needs a Redis to boot: argv[2] is the `redis` option as JSON. It ends by itself, with 1 if it failed.
import process from 'node:process'
import Fastify from 'fastify'
import { type RedisOption, redisFor } from 'fastify-ah-kit/redis'

const app = Fastify({ logger: { level: 'debug' } })

app.register(async (child) => {
  await redisFor(child, { owner: 'test', redis: JSON.parse(process.argv[2] ?? '""') as RedisOption })
})

try {
  await app.listen({ port: 0, host: '127.0.0.1' })
  await app.close()
} catch (error) {
  app.log.fatal({ err: error }, 'not started')
  console.error(error)
  // Nothing is closed here: a boot that failed leaves nothing behind that keeps the process alive.
  process.exitCode = 1
}
