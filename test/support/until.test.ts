// Tests waiting.
import assert from 'node:assert/strict'
import test from 'node:test'
import { until } from './index.ts'

test('until answers the first truthy value', async () => {
  const values = [0, '', null, undefined, false, 'found', 'too late']
  assert.equal(await until(() => values.shift(), { everyMs: 1 }), 'found')
})

test('until takes an error for "not yet"', async () => {
  let looks = 0
  const answer = await until(
    async () => {
      if (++looks < 3) throw new Error('not yet')
      return looks
    },
    { everyMs: 1 },
  )
  assert.equal(answer, 3)
})

test('until names what it waited for, the last value and the last error at the deadline', async () => {
  let looks = 0
  const condition = () => {
    if (looks++ === 0) throw new Error('connection refused')
    return 0
  }
  await assert.rejects(until(condition, { deadlineMs: 50, everyMs: 5, what: 'three workers' }), (error: Error) => {
    assert.match(error.message, /^Not within 50 ms: three workers\. Last value: 0; last error: .*connection refused/)
    assert.equal((error.cause as Error).message, 'connection refused')
    return true
  })
})

test('until gives up on a condition that never settles', async () => {
  await assert.rejects(
    until(() => new Promise(() => {}), { deadlineMs: 30 }),
    /Last value: none yet/,
  )
})

test('until names its condition when nothing else was said', async () => {
  await assert.rejects(
    until(() => Number('0'), { deadlineMs: 5 }),
    /Number\('0'\)/,
  )
})
