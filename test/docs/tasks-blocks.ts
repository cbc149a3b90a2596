// Drives what the pages of the tasks show.
import assert from 'node:assert/strict'
import { pathToFileURL } from 'node:url'
import Fastify, { type FastifyInstance } from 'fastify'
import fastifyAhTasks from 'fastify-ah-tasks'
import { atEnd, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import type { Driver } from './driver.ts'
import { Workplace } from './workplace.ts'

const page = 'packages/tasks/README.md'

async function appWithTasks(scope: TestScope): Promise<FastifyInstance> {
  const app = Fastify()
  atEnd(scope, () => app.close())
  await app.register(fastifyAhTasks)
  return app
}

export const tasksBlocks: readonly Driver[] = [
  {
    page,
    shows: ["thread: new URL('./resize.js'", 'export default async function resize'],
    async run(t, code = '', thread = '') {
      const place = new Workplace(t, { 'resize.js': thread })
      const app = await appWithTasks(t)
      const here = `const here = '${pathToFileURL(place.folder)}/'\n${code.replace('import.meta.url', 'here')}`
      await place.runPart(here, { app })
      await app.ready()
      const queued = await app.tasks.enqueue('resize', { file: 'a.png' }, { track: true })
      assert.ok(queued !== false && queued.id !== undefined)
      assert.deepEqual(await app.tasks.waitFor(queued.id), { file: 'a.png', attempt: 1 })
    },
  },
  {
    page,
    shows: 'app.tasks.addMiddleware',
    async run(t, code = '') {
      const app = await appWithTasks(t)
      const logged: { task: string; ms: number }[] = []
      const seen = { tasks: app.tasks, log: { info: (line: { task: string; ms: number }) => logged.push(line) } }
      await new Workplace(t).runPart(code, { app: seen })
      let runs = 0
      app.tasks.define({
        name: 'timed',
        run: () => {
          runs += 1
        },
      })
      await app.ready()
      await app.tasks.enqueue('timed', { skip: true })
      await app.tasks.enqueue('timed', {})
      await until(() => logged.length === 1)
      assert.equal(runs, 1)
      assert.equal(logged[0]?.task, 'timed')
      assert.ok(logged[0].ms >= 0)
    },
  },
  {
    page,
    shows: 'fastify-ah tasks list',
    async run(t, code = '') {
      const redis = await startRedis({}, t)
      const env = { REDIS_URL: redis.url }
      const place = new Workplace(t, {
        'app.js': `import fastifyAhTasks from 'fastify-ah-tasks'
          export default async function app(fastify) {
            await fastify.register(fastifyAhTasks)
            fastify.tasks.define({ name: 'welcome', run: ({ to }) => console.log('welcome ' + to) })
          }`,
      })
      const failing = (n: number) =>
        JSON.stringify({ queue: 'default', payload: { class: 'welcome', args: [{ to: n }] } })
      await redis.command('RPUSH', 'resque:failed', ...[0, 1, 2, 3].map(failing))
      for (const line of code.trim().split('\n').slice(0, -1)) {
        const { code: exit, stderr } = await place.run(line, { env })
        assert.equal(exit, 0, `${line}: ${stderr}`)
      }
      assert.equal(await redis.command('LLEN', 'resque:failed'), 2)
      const worker = place.fastifyAh(code.trim().split('\n').at(-1)!, { env })
      for (const whom of ['Ada', 0, 3]) await worker.waitForLine(new RegExp(`welcome ${whom}`))
      worker.kill()
      assert.equal((await worker.exited).code, 0, worker.stderr())
    },
  },
  {
    page,
    shows: 'fastify-ah-tasks/testing',
    async run(t, code = '') {
      const place = new Workplace(t)
      const program = place.write(
        'program.js',
        `import Fastify from 'fastify'
         import fastifyAhTasks from 'fastify-ah-tasks'
         ${code.replace('await enqueuedJobs(app.tasks)', 'const jobs = await enqueuedJobs(app.tasks)').replace('await runQueues(app.tasks)', 'const runs = await runQueues(app.tasks)')}
         console.log(JSON.stringify({ jobs, runs }))
         await app.close()`,
      )
      const { stdout, stderr } = await place.finish(program)
      const { jobs, runs } = JSON.parse(stdout || assert.fail(stderr))
      assert.equal(jobs.length, 1)
      assert.deepEqual(
        { ...jobs[0], args: undefined },
        { task: 'add', queue: 'default', inputs: { a: 1, b: 2 }, args: undefined },
      )
      assert.deepEqual(
        runs.map(({ ending, result }: { ending: string; result: number }) => [ending, result]),
        [['success', 3]],
      )
    },
  },
]
