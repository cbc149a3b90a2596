// The end of a loop, whatever it is doing.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { settled, watchedLoop } from './watched-loop.ts'

test('stop ends the sleep, whatever was slept for', async (t) => {
  const sleeping = watchedLoop(t, async () => Number.POSITIVE_INFINITY)
  const backingOff = watchedLoop(t, () => Promise.reject(new Error('broken')), { minBackoffMs: 1e6, maxBackoffMs: 1e6 })
  for (const { loop } of [sleeping, backingOff]) loop.start()
  await settled()
  for (const { loop } of [sleeping, backingOff]) await Promise.all([loop.stop(), loop.stop()])
  for (const watched of [sleeping, backingOff]) {
    watched.loop.wake()
    watched.loop.start()
    await settled()
    assert.equal(watched.steps, 1)
  }
})

test('stop aborts the step in hand, waits for it, and does not report that it was aborted', async (t) => {
  let isDone = false
  const watched = watchedLoop(t, async (signal) => {
    await once(signal, 'abort')
    await settled()
    isDone = true
    signal.throwIfAborted()
    return 0
  })
  watched.loop.start()
  await settled()
  await watched.loop.stop()
  assert.ok(isDone)
  assert.equal(watched.steps, 1)
  assert.deepEqual(watched.errors, [])
})

test('an error that has nothing to do with the stop is reported, also during it', async (t) => {
  const watched = watchedLoop(t, async (signal) => {
    await once(signal, 'abort')
    throw new Error('broken just then')
  })
  watched.loop.start()
  await settled()
  await watched.loop.stop()
  assert.deepEqual(watched.errors, [['broken just then', 1]])
})

test('a step that never ends is left behind by stop, and told of', async (t) => {
  const watched = watchedLoop(t, () => new Promise<number>(() => undefined))
  watched.loop.start()
  await settled()
  await watched.loop.stop()
  assert.deepEqual(watched.errors, [
    ['the loop watched was stopped, its step did not end within 50 ms and is left behind', 0],
  ])
})

test('a loop that was stopped before it began never steps', async (t) => {
  const watched = watchedLoop(t, async () => 0)
  await watched.loop.stop()
  watched.loop.start()
  await settled()
  assert.equal(watched.steps, 0)
})
