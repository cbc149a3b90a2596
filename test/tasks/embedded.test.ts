// The tasks on the embedded store: every script and command that they send, once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redisRegistryOf } from 'fastify-ah-kit/redis'
import { until } from 'fastify-ah-test-support'
import { openApp } from './open-tasks.ts'

test('the embedded store does all that the tasks ask for', async (t) => {
  const seen: unknown[] = []
  const note = { name: 'note', run: (given: unknown) => void seen.push(given) }
  const flaky = {
    name: 'flaky',
    retry: { attempts: 2, backoffMs: 10 },
    run: () => Promise.reject(new Error('always')),
  }
  const limited = { name: 'limited', concurrency: { max: 1 }, run: (given: unknown) => void seen.push(given) }
  const often = { name: 'often', frequencyMs: 200, queue: 'often', run: () => void seen.push('tick') }
  const app = await openApp(
    {
      embedded: true,
      maxTaskProcessors: 4,
      minTaskProcessors: 4,
      scheduler: true,
      define: [note, flaky, limited, often],
    },
    t,
  )
  const { tasks } = app
  await tasks.enqueueMany(Array.from({ length: 20 }, (_, n) => ({ name: 'note', inputs: n })))
  await until(() => seen.filter((one) => typeof one === 'number').length === 20)
  await until(() => seen.filter((one) => one === 'tick').length >= 2)
  await tasks.enqueue('note', 'tracked', { track: true, id: 't' })
  assert.equal(await tasks.waitFor('t'), undefined)
  await tasks.enqueueMany(['x', 'y', 'z'].map((inputs) => ({ name: 'limited', inputs })))
  await until(() => ['x', 'y', 'z'].every((one) => seen.includes(one)))
  await tasks.enqueue('note', 'soon', { delayMs: 50, id: 'soon' })
  await tasks.enqueueIn(600, 'note', 'later')
  await until(() => seen.includes('soon') && seen.includes('later'), { deadlineMs: 10_000 })
  await tasks.enqueue('flaky')
  await until(async () => (await tasks.failedCount()) === 1)
  await tasks.pause('default')
  const [entry] = await tasks.failed(0, -1)
  assert.equal(await tasks.retryAndRemoveFailed(entry!), true)
  assert.equal(await tasks.delByFunction('default', 'flaky'), 1)
  await tasks.enqueueIn(60_000, 'note', 'far')
  await tasks.enqueueIn(60_000, 'note', 'far', { id: 'far' })
  assert.equal((await tasks.delDelayed('default', 'note', 'far')).length, 2)
  assert.equal(await tasks.cancel('nobody'), true)
  await tasks.resume('default')
  const details = await tasks.details()
  assert.equal(details.failed, 0)
  assert.equal(Object.values(details.workers).length, 1)
  await tasks.stopRecurrentTask('often')
  const [used] = redisRegistryOf(app).connections
  const scripts = ['exchange-jobs', 'enqueue-jobs', 'beat-processor', 'read-ended', 'take-slot', 'lead', 'promote-jobs']
  const more = ['claim-tick', 'note-track', 'cancel-job', 'resume-queue', 'drop-jobs', 'drop-delayed', 'drop-scheduled']
  for (const name of [...scripts, ...more, 'retry-failed'])
    assert.ok(used?.connection.sent.has(name), `${name} was sent`)
  await app.close()
})
