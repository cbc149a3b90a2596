// What a process does by itself: by its options, the environment, its role.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { startWorker } from './workers.ts'

const redis = await startRedis({}, test)
const client = redis.client()

const cases: [name: string, env: Record<string, string>, works: boolean, schedules: boolean][] = [
  ['a process without a role works and schedules', {}, true, true],
  ['in the role worker too', { ACTIONHERO_ROLE: 'worker' }, true, true],
  ['in the role web neither', { ACTIONHERO_ROLE: 'web' }, false, false],
  [
    'the environment says otherwise',
    { ACTIONHERO_ROLE: 'web', SCHEDULER: 'true', MAX_TASK_PROCESSORS: '2' },
    true,
    true,
  ],
  ['and switches off', { SCHEDULER: 'false', MIN_TASK_PROCESSORS: '0', MAX_TASK_PROCESSORS: '0' }, false, false],
]

for (const [index, [name, env, works, schedules]] of cases.entries()) {
  test(name, async (t) => {
    const namespace = `role-${index}`
    const args = [redis.url, JSON.stringify({ namespace }), 'defaults']
    await startWorker(redis.url, {}, t, { env, args })
    await until(async () => (await client.exists(`${namespace}:workers`)) === (works ? 1 : 0))
    await until(async () => (await client.exists(`${namespace}:resque_scheduler_leader_lock`)) === (schedules ? 1 : 0))
    // It stays so: a look at both once more.
    assert.equal(await client.exists(`${namespace}:workers`), works ? 1 : 0)
    assert.equal(await client.exists(`${namespace}:resque_scheduler_leader_lock`), schedules ? 1 : 0)
  })
}
