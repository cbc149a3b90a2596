// Drives what the pages of pub/sub, of the kit and of testing show.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'
import { TickBatch } from 'fastify-ah-kit'
import { root } from './code-blocks.ts'
import type { Driver } from './driver.ts'
import { Workplace } from './workplace.ts'

export const otherBlocks: readonly Driver[] = [
  {
    page: 'packages/pubsub/README.md',
    shows: "app.pubsub.channel('/orders'",
    async run(t, code = '') {
      const place = new Workplace(t)
      const imports = "import Fastify from 'fastify'\nimport fastifyAhPubsub from 'fastify-ah-pubsub'\n"
      const begun = 'const app = Fastify()\nawait app.register(fastifyAhPubsub)\n'
      const heard = "await orders.subscribe((order) => console.log('heard', order))\n"
      const file = await place.compile(
        `${imports}${begun}${code.replace('await orders.publish', `${heard}await orders.publish`)}\nawait app.close()\n`,
      )
      const { stdout, stderr } = await place.finish(file)
      assert.equal(stdout, 'heard { id: 7 }\n', stderr)
    },
  },
  {
    page: 'packages/kit/README.md',
    shows: 'new TickBatch',
    async run(t, code = '') {
      const sent: unknown[] = []
      const connection = {
        read: async (command: string, keys: string[]) => {
          sent.push([command, keys])
          return keys.map((key) => `value of ${key}`)
        },
      }
      const names = { TickBatch, connection }
      const { a, b } = await new Workplace(t).runPart(code, names, ['a', 'b'])
      assert.deepEqual([a, b, sent], ['value of a', 'value of b', [['MGET', ['a', 'b']]]])
    },
  },
  {
    page: 'docs/testing.md',
    shows: 'tsc -b test/cache',
    async run(_t, code = '') {
      // The lines as they are, on a folder of three tests.
      const lines = code.replaceAll('test/cache', 'test/fastify-ah').replace('pnpm exec ', 'node_modules/.bin/')
      const { stdout } = await promisify(execFile)('sh', ['-ec', lines], {
        cwd: root,
        env: { ...process.env, NODE_TEST_CONTEXT: undefined },
      })
      assert.match(stdout, /^# fail 0$/m)
    },
  },
  {
    page: 'docs/testing.md',
    shows: 'a write whose answer is lost',
    async run(t, code = '') {
      const place = new Workplace(t)
      const build = `import Fastify from 'fastify'
        import fastifyAhCache from 'fastify-ah-cache'
        async function buildApp(options: { redis: string }) {
          const app = Fastify()
          await app.register(fastifyAhCache, options)
          return app
        }\n`
      const { code: exit, stdout } = await place.finish(await place.compile(code + build))
      assert.equal(exit, 0, stdout)
      assert.match(stdout, /ok 1 - a write whose answer is lost is not done twice/)
    },
  },
]
