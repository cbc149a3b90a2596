// A loop that cannot die: steps, sleeps, wake-ups, errors.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { until } from 'fastify-ah-test-support'
import { settled, watchedLoop } from './watched-loop.ts'

test('it steps at once, then after as many ms as the step said', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const watched = watchedLoop(t, async () => 1000)
  assert.equal(watched.loop.lastSuccessAt, undefined)
  watched.loop.start()
  watched.loop.start()
  await settled()
  assert.equal(watched.steps, 1)
  assert.ok(watched.loop.lastSuccessAt! <= performance.now())
  t.mock.timers.tick(999)
  await settled()
  assert.equal(watched.steps, 1)
  t.mock.timers.tick(1)
  await settled()
  assert.equal(watched.steps, 2)
})

test('a step that answers 0 is followed at once, and lets everything else run', async (t) => {
  const watched = watchedLoop(t, async () => 0)
  watched.loop.start()
  await until(() => watched.steps > 100, { what: 'a hundred steps beside timers and I/O' })
})

test('a step that answers Infinity, or more than a timer can count, waits to be woken', async (t) => {
  for (const answer of [Number.POSITIVE_INFINITY, 2 ** 40]) {
    const watched = watchedLoop(t, async () => answer)
    watched.loop.start()
    await settled()
    assert.equal(watched.steps, 1)
    watched.loop.wake()
    await settled()
    assert.equal(watched.steps, 2)
  }
})

test('a wake-up during a step is not lost: the next step follows at once', async (t) => {
  let end = (): void => assert.fail('no step')
  const watched = watchedLoop(t, async () => {
    await new Promise<void>((resolve) => {
      end = resolve
    })
    return Number.POSITIVE_INFINITY
  })
  watched.loop.start()
  await settled()
  watched.loop.wake()
  watched.loop.wake()
  end()
  await settled()
  assert.equal(watched.steps, 2)
  end()
  await settled()
  assert.equal(watched.steps, 2)
})

test('errors back off with a doubled wait up to the cap, and one success ends that', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let isBroken = true
  const watched = watchedLoop(
    t,
    async () => {
      if (isBroken) throw new Error('broken')
      return 1000
    },
    { minBackoffMs: 100, maxBackoffMs: 350 },
  )
  watched.loop.start()
  await settled()
  for (const wait of [100, 200, 350, 350]) {
    const before = watched.steps
    // The first part of the wait is a timer of its own.
    t.mock.timers.tick(Math.min(wait, 100) - 1)
    await settled()
    assert.equal(watched.steps, before)
    t.mock.timers.tick(1)
    await settled()
    if (wait > 100) {
      t.mock.timers.tick(wait - 101)
      await settled()
      assert.equal(watched.steps, before)
      t.mock.timers.tick(1)
      await settled()
    }
    assert.equal(watched.steps, before + 1)
  }
  assert.equal(watched.loop.failures, 5)
  assert.deepEqual(
    watched.errors,
    [1, 2, 3, 4, 5].map((failures) => ['broken', failures]),
  )
  isBroken = false
  watched.loop.wake()
  t.mock.timers.tick(350)
  await settled()
  assert.equal(watched.loop.failures, 0)
})

test('a wake-up shortens the wait after an error, but a loop that fails at once never spins', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const watched = watchedLoop(t, () => Promise.reject(new Error('broken')), { minBackoffMs: 100, maxBackoffMs: 60_000 })
  watched.loop.start()
  await settled()
  for (let step = 1; step <= 10; step++) {
    for (let i = 0; i < 10; i++) watched.loop.wake()
    await settled()
    assert.equal(watched.steps, step)
    t.mock.timers.tick(100)
    await settled()
    assert.equal(watched.steps, step + 1)
  }
})

test('a step that answers no number, or throws before it answers, is an error like others', async (t) => {
  const answers: unknown[] = [Number.NaN, undefined, '5', null]
  const watched = watchedLoop(
    t,
    () => {
      if (answers.length === 0) throw new Error('not even a promise')
      return Promise.resolve(answers.shift() as number)
    },
    { minBackoffMs: 1, maxBackoffMs: 1 },
  )
  watched.loop.start()
  await until(() => watched.errors.length >= 5)
  const told = (shown: string) => `the loop watched wants the ms until its next step, its step answered ${shown}`
  assert.deepEqual(
    watched.errors.slice(0, 5).map(([message]) => message),
    [told('NaN'), told('undefined'), told('5'), told('null'), 'not even a promise'],
  )
})

test('[36] whatever a step throws, its reporter gets an error', async (t) => {
  const thrown: unknown[] = [undefined, null, 0, '', 'a text', Object.freeze({}), new Error('real')]
  const watched = watchedLoop(t, () => Promise.reject(thrown.shift()), { minBackoffMs: 1, maxBackoffMs: 1 })
  watched.loop.start()
  await until(() => watched.errors.length >= 7)
  assert.deepEqual(
    watched.errors.slice(0, 7).map(([message]) => message),
    ['thrown: undefined', 'thrown: null', 'thrown: 0', "thrown: ''", 'a text', 'thrown: {}', 'real'],
  )
})

test('a reporter that throws or rejects does not end the loop, and is heard of as a warning', async (t) => {
  const reporters = [
    () => {
      throw new Error('the reporter throws')
    },
    () => Promise.reject(new Error('the reporter rejects')),
  ]
  for (const onError of reporters) {
    const watched = watchedLoop(t, () => Promise.reject(new Error('broken')), {
      onError,
      minBackoffMs: 20,
      maxBackoffMs: 20,
    })
    const warned = once(process, 'warning')
    watched.loop.start()
    const [warning] = await warned
    assert.match(warning.message, /^the reporter/)
    await until(() => watched.steps > 1)
    await watched.loop.stop()
  }
})
