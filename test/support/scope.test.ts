// Tests the end of a test.
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { atEnd, freePort, isAlive, spawnNode, tempDir } from './index.ts'

/** A scope that the test can end itself. */
function fakeScope(): { after(hook: () => unknown): void; end(): Promise<void> } {
  const hooks: (() => unknown)[] = []
  return {
    after: (hook) => hooks.push(hook),
    async end() {
      for (const hook of hooks) await hook()
    },
  }
}

test('what was started last is stopped first', async () => {
  const scope = fakeScope()
  const order: string[] = []
  atEnd(scope, () => order.push('redis'))
  atEnd(scope, async () => order.push('app'))
  await scope.end()
  assert.deepEqual(order, ['app', 'redis'])
})

test('a stop that fails does not keep the others from being stopped, and is told', async () => {
  const scope = fakeScope()
  const order: string[] = []
  atEnd(scope, () => order.push('first'))
  atEnd(scope, () => Promise.reject(new Error('second fails')))
  atEnd(scope, () => {
    throw new Error('third fails')
  })
  await assert.rejects(scope.end(), (error: AggregateError) => {
    assert.match(error.message, /third fails\n.*second fails/)
    return error.errors.length === 2
  })
  assert.deepEqual(order, ['first'])
})

test('the tests of a file can share one Redis, which ends after the last', async (t) => {
  const run = spawnNode(new URL('./programs/test-file-with-one-redis.js', import.meta.url), {}, t)
  const pid = Number((await run.waitForLine(/redis (\d+)/))[1])
  assert.equal((await run.exited).code, 0, run.stdout())
  assert.match(run.stdout(), /pass 2/)
  assert.ok(!isAlive(pid))
})

test('a temporary folder is private, short and gone at the end', async () => {
  const scope = fakeScope()
  const { path } = tempDir(scope)
  writeFileSync(`${path}/file`, 'x')
  assert.ok(`${path}/a-name-of-thirty-characters.sock`.length < 90)
  await scope.end()
  assert.ok(!existsSync(path))
})

test('free ports are all different', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()))
  assert.equal(new Set(ports).size, 50)
})
