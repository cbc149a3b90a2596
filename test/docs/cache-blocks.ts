// Drives what the pages of the cache show.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import fastifyAhCache from 'fastify-ah-cache'
import { atEnd, startRedis, type TestScope } from 'fastify-ah-test-support'
import type { Driver } from './driver.ts'
import { Workplace } from './workplace.ts'

async function appWithCache(scope: TestScope): Promise<FastifyInstance> {
  const app = Fastify()
  atEnd(scope, () => app.close())
  await app.register(fastifyAhCache)
  return app
}

export const cacheBlocks: readonly Driver[] = [
  {
    page: 'docs/cache.md',
    shows: 'const hits = await app.cache.increment',
    async run(t, code = '') {
      const place = new Workplace(t)
      const app = await appWithCache(t)
      app.get('/', async (request, reply) => {
        await place.runPart(code, { app, request, reply })
        return reply.sent ? reply : 'ok'
      })
      const statuses: number[] = []
      for (let n = 0; n < 102; n += 1) statuses.push((await app.inject('/')).statusCode)
      // Two minutes at most: whoever crosses one begins to count anew.
      if (!statuses.includes(429)) for (let n = 0; n < 102; n += 1) statuses.push((await app.inject('/')).statusCode)
      assert.equal(statuses.indexOf(429) >= 100, true, String(statuses))
    },
  },
  {
    page: 'docs/cache.md',
    shows: "decorator: 'shared'",
    async run(t, code = '') {
      const declared = "import Fastify from 'fastify'\nconst app = Fastify()\n"
      const used = "\nawait app.shared.save('a', 1)\nconsole.log(await app.shared.get('a'))\nawait app.close()\n"
      const place = new Workplace(t)
      assert.equal((await place.finish(await place.compile(declared + code + used))).stdout, '1\n')
    },
  },
  {
    page: 'packages/cache/README.md',
    shows: 'app.cache.withLock',
    async run(t, code = '') {
      const app = await appWithCache(t)
      const made = { lines: 3 }
      const makeReport = ({ signal }: { signal: AbortSignal }) => (signal.aborted ? undefined : made)
      const { report } = await new Workplace(t).runPart(code, { app, makeReport }, ['report'])
      assert.deepEqual([report, await app.cache.get('report')], [made, made])
    },
  },
  {
    page: 'packages/cache/README.md',
    shows: 'local: { max: 10_000 }',
    async run(t, code = '') {
      const redis = await startRedis({}, t)
      const app = Fastify()
      atEnd(t, () => app.close())
      const options = {
        fastifyAhCache,
        app: { register: (plugin: never, given: object) => app.register(plugin, { ...given, redis: redis.url }) },
      }
      await new Workplace(t).runPart(code, options)
      await app.ready()
      await app.cache.save('a', 1)
      await app.cache.get('a')
      assert.equal(await app.cache.get('a'), 1)
    },
  },
  {
    page: 'packages/cache/README.md',
    shows: 'fastify-ah cache keys user:',
    async run(t, code = '') {
      const redis = await startRedis({}, t)
      const app = Fastify()
      atEnd(t, () => app.close())
      await app.register(fastifyAhCache, { redis: redis.url })
      for (const n of [7, 8, 9]) await app.cache.save(`user:${n}`, { n })
      const place = new Workplace(t)
      const printed: string[] = []
      for (const line of code.trim().split('\n')) {
        const {
          code: exit,
          stdout,
          stderr,
        } = await place.run(line.replace('redis://localhost', redis.url), {
          env: { REDIS_URL: redis.url },
        })
        assert.equal(exit, 0, `${line}: ${stderr}`)
        printed.push(stdout)
      }
      assert.deepEqual(printed[0]?.trim().split('\n').sort(), ['user:7', 'user:8', 'user:9'])
      assert.match(printed[1]!, /"n":7/)
      assert.ok(existsSync(join(place.folder, 'cache.dump')))
      assert.deepEqual(await app.cache.keys('user:'), [])
    },
  },
]
