// Drives what the page about testing apps shows.
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import fastifyAhCache from 'fastify-ah-cache'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhRooms from 'fastify-ah-rooms'
import fastifyAhTasks from 'fastify-ah-tasks'
import * as testing from 'fastify-ah-tasks/testing'
import { startRedis } from 'fastify-ah-test-support'
import type { Driver } from './driver.ts'
import { Workplace } from './workplace.ts'

const page = 'docs/testing-apps.md'
const names = { Fastify, fastifyAhCache, fastifyAhPubsub, fastifyAhRooms, fastifyAhTasks, ...testing }

export const testingBlocks: readonly Driver[] = [
  {
    page,
    shows: "app.inject('/visits')",
    async run(t, code = '') {
      const { second } = await new Workplace(t).runPart(code, names, ['second'])
      assert.deepEqual(second, { visits: 2 })
    },
  },
  {
    page,
    shows: 'await runQueues(app.tasks)',
    async run(t, code = '') {
      const { waiting, planned, run } = await new Workplace(t).runPart(code, names, ['waiting', 'planned', 'run'])
      assert.deepEqual((waiting as { inputs: unknown }).inputs, { to: 'Ada' })
      const { task, inputs, at } = planned as { task: string; inputs: unknown; at: number }
      assert.deepEqual([task, inputs], ['greet', { to: 'Ada, again' }])
      assert.ok(at > Date.now())
      const { ending, result } = run as { ending: string; result: string }
      assert.deepEqual([ending, result], ['success', 'hello, Ada'])
    },
  },
  {
    page,
    shows: 'app.rooms.inject({',
    async run(t, code = '') {
      const { heard } = await new Workplace(t).runPart(code, names, ['heard'])
      assert.deepEqual(heard, ['HELLO'])
    },
  },
  {
    page,
    shows: 'namespace: id',
    async run(t, code = '') {
      const redis = await startRedis({}, t)
      const process = { pid: 7, env: { REDIS_URL: redis.url } }
      await new Workplace(t).runPart(code, { ...names, process })
      const left = (await redis.command('KEYS', '*')) as string[]
      assert.deepEqual(
        left.filter((key) => !key.startsWith('test-7:')),
        [],
      )
    },
  },
]
