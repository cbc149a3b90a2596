// Waiting for something that may not come: what ends the wait.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { within } from 'fastify-ah-kit'

const never = new Promise<string>(() => undefined)

test('what comes in time is the answer, else what stands in its place', async () => {
  assert.equal(await within(60_000, Promise.resolve('came'), () => 'late'), 'came')
  assert.equal(await within(1, never, () => 'late'), 'late')
  await assert.rejects(
    within(60_000, Promise.reject(new TypeError('no')), () => 'late'),
    TypeError,
  )
})

test('a signal ends the wait too, also one that has aborted before, and keeps no listener', async () => {
  const controller = new AbortController()
  const waiting = within(60_000, never, () => 'aborted', controller.signal)
  assert.equal(await within(60_000, Promise.resolve('came'), () => 'late', controller.signal), 'came')
  assert.equal(getEventListeners(controller.signal, 'abort').length, 1)
  controller.abort()
  assert.equal(await waiting, 'aborted')
  assert.equal(await within(60_000, never, () => 'aborted', controller.signal), 'aborted')
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
})
