// The production topology in small: nginx, two web workers and a task worker on Sentinel, through reload, kills, a failover.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSoak } from './production/soak.ts'

test('[4] [60] [63] in production nothing is lost: no request, no acknowledged task, no message of a room', {
  timeout: 120_000,
}, async (t) => {
  const { failed, ofKilled, answered, tasks, chat, memory } = await runSoak({ troubledMs: 0, calmMs: 2_000 }, t)
  assert.deepEqual(failed, [])
  // One each of the clients whose request was in the hand of the worker that was killed.
  assert.ok(ofKilled <= 8, `${ofKilled} of the killed worker's`)
  assert.ok(answered > 500 && tasks.acknowledged > 50 && chat.said > 30, JSON.stringify({ answered, tasks, chat }))
  assert.equal(tasks.lost, 0)
  assert.deepEqual([chat.lost, chat.doubled], [0, 0])
  // Two seconds show no leak, only what is absurd; `npm run soak` looks for minutes.
  assert.ok(
    memory.primary.every((mb) => mb < 200),
    `${memory.primary}`,
  )
})
