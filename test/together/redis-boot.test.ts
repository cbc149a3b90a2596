// The command with a Redis that is not there or lets nobody in: one clear message, exit code 1, nothing left.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort, startRedis } from 'fastify-ah-test-support'
import { runDemo } from './demo.ts'

const PASSWORD = 'not-to-be-seen'

for (const mode of ['start', 'start cluster']) {
  test(`[9] ${mode} with Redis down says so once and ends with 1`, async (t) => {
    const nobody = await freePort()
    const demo = await runDemo(mode, { REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${nobody}` }, t)
    assert.deepEqual(await demo.exited, { code: 1, signal: null })
    const told = demo.lines().filter((line) => line.includes('AH_KIT_REDIS_BOOT'))
    assert.equal(told.length, 1, demo.lines().join('\n'))
    assert.match(
      told[0]!,
      /app\.js could not be started: Redis at .* no connection within 8000 ms: connect ECONNREFUSED/,
    )
    assert.doesNotMatch(demo.lines().join('\n'), new RegExp(PASSWORD))
    assert.deepEqual(demo.descendants(), [])
  })

  test(`[9] ${mode} with a wrong password says so at once and ends with 1`, async (t) => {
    const redis = await startRedis({ password: 'the right one' }, t)
    const url = `redis://:${PASSWORD}@127.0.0.1:${redis.port}`
    const demo = await runDemo(mode, { REDIS_URL: url }, t)
    assert.deepEqual(await demo.exited, { code: 1, signal: null })
    const told = demo.lines().filter((line) => line.includes('AH_KIT_REDIS_BOOT'))
    assert.equal(told.length, 1, demo.lines().join('\n'))
    assert.match(told[0]!, /not let in: WRONGPASS/)
    assert.doesNotMatch(demo.lines().join('\n'), new RegExp(PASSWORD))
    assert.deepEqual(demo.descendants(), [])
  })
}
