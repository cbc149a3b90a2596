// Loops that stand still are found; what jobs and messages carry is what it seems.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { carrierIn, lifecycleOf, runningLoops, Surroundings, stalledAfterMs } from 'fastify-ah-kit'
import { atEnd, until } from 'fastify-ah-test-support'
import { settled, watchedLoop } from './watched-loop.ts'

test('a loop runs from its start to its stop, and is stalled while it steps or fails, not while it sleeps', async (t) => {
  let answer: ((ms: number) => void) | undefined
  const { loop } = watchedLoop(t, () => new Promise<number>((resolve) => (answer = resolve)))
  assert.equal(runningLoops().has(loop), false)
  loop.start()
  assert.equal(runningLoops().has(loop), true)
  await until(() => loop.stalledMs > 20)
  answer?.(60_000)
  await settled()
  assert.equal(loop.stalledMs, 0)
  const failing = watchedLoop(t, () => Promise.reject(new Error('no')), { minBackoffMs: 5, maxBackoffMs: 5 })
  failing.loop.start()
  await until(() => failing.steps > 3 && failing.loop.stalledMs > 15)
  const patient = watchedLoop(t, () => new Promise<number>(() => undefined), { patienceMs: 60_000 })
  patient.loop.start()
  await settled()
  assert.equal(patient.loop.stalledMs, 0, 'it may wait for so long')
  await loop.stop()
  await failing.loop.stop()
  assert.equal(runningLoops().has(loop) || runningLoops().has(failing.loop), false)
  loop.start()
  assert.equal(runningLoops().has(loop), false, 'what was stopped before it began')
})

test('[1] an app is not ready while a loop of its process has got nothing done for half a minute', async (t) => {
  const app = fastify()
  atEnd(t, () => app.close())
  const lifecycle = lifecycleOf(app)
  const { loop } = watchedLoop(t, () => new Promise<number>(() => undefined))
  loop.start()
  assert.deepEqual((await lifecycle.readiness()).failed, [])
  const now = performance.now()
  // A clock that is ahead: nobody waits for half a minute.
  t.mock.method(performance, 'now', () => now + stalledAfterMs + 5_000)
  assert.deepEqual((await lifecycle.readiness()).failed, [{ name: 'loops', reason: 'watched for 35 s' }])
  await loop.stop()
  assert.deepEqual((await lifecycle.readiness()).failed, [])
})

test('a carrier is made of short texts alone, and its names mean nothing', () => {
  for (const none of [
    undefined,
    null,
    1,
    'text',
    {},
    [],
    { a: 1 },
    { a: 'x'.repeat(513) },
    { ['a'.repeat(65)]: 'x' },
  ]) {
    assert.equal(carrierIn(none), undefined)
  }
  const hostile = JSON.parse('{"__proto__":"x","traceparent":"00-1","n":1,"constructor":"y"}') as unknown
  const carrier = carrierIn(hostile)
  assert.deepEqual(Object.entries(carrier ?? {}), [
    ['__proto__', 'x'],
    ['traceparent', '00-1'],
    ['constructor', 'y'],
  ])
  assert.equal(Object.getPrototypeOf(carrier), null)
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`name-${index}`, 'x']))
  assert.equal(Object.keys(carrierIn(many) ?? {}).length, 8)
})

test('what surrounds a run stands around it in the order in which it was said', () => {
  const seen: string[] = []
  const surroundings = new Surroundings()
  for (const name of ['outer', 'inner']) {
    surroundings.add((work) => {
      seen.push(`${name} in`)
      try {
        return work()
      } finally {
        seen.push(`${name} out`)
      }
    })
  }
  assert.equal(
    surroundings.run(() => seen.push('run')),
    3,
  )
  assert.deepEqual(seen, ['outer in', 'inner in', 'run', 'inner out', 'outer out'])
  assert.equal(
    new Surroundings().run(() => 1),
    1,
  )
})
