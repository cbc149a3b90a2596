// What an app's plugins do before it ends, when another process died, and whether it is fit to serve.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { Lifecycle, lifecycleOf, type PeerDeath } from 'fastify-ah-kit'
import { loggedApp } from './app.ts'

const never = () => new Promise<never>(() => undefined)

test('drain parts run at once, and all answers are there when the last is done', async () => {
  const lifecycle = new Lifecycle()
  const begun: string[] = []
  const ends: (() => void)[] = []
  for (const name of ['a', 'b', 'c']) {
    lifecycle.onDrain(
      name,
      () => {
        begun.push(name)
        return new Promise<void>((resolve) => ends.push(resolve))
      },
      60_000,
    )
  }
  assert.equal(lifecycle.isDraining, false)
  const drained = lifecycle.drain()
  assert.equal(lifecycle.isDraining, true)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(begun, ['a', 'b', 'c'])
  for (const end of ends.reverse()) end()
  assert.deepEqual(await drained, [
    { name: 'a', error: undefined },
    { name: 'b', error: undefined },
    { name: 'c', error: undefined },
  ])
})

test('a part that throws, at once or later, spoils no other, and its error is answered', async () => {
  const lifecycle = new Lifecycle()
  const fails = () => {
    throw new Error('at once')
  }
  lifecycle.onDrain('throws', fails, 1000)
  lifecycle.onDrain('rejects', () => Promise.reject('a text'), 1000)
  lifecycle.onDrain('synchronous', () => undefined, 1000)
  const results = await lifecycle.drain()
  assert.deepEqual(
    results.map(({ name, error }) => [name, error?.message]),
    [
      ['throws', 'at once'],
      ['rejects', 'a text'],
      ['synchronous', undefined],
    ],
  )
})

test('a part that does not end in time is given up, its signal aborts, and its late error disturbs nobody', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const lifecycle = new Lifecycle()
  const signals: AbortSignal[] = []
  lifecycle.onDrain(
    'never ends',
    (signal) => {
      signals.push(signal)
      return never()
    },
    5000,
  )
  lifecycle.onDrain(
    'fails late',
    async (signal) => {
      signals.push(signal)
      await once(signal, 'abort')
      throw signal.reason
    },
    3000,
  )
  assert.equal(lifecycle.drainMs, 5000)
  const drained = lifecycle.drain()
  await tick(t, 3000)
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false, true],
  )
  await tick(t, 2000)
  assert.deepEqual(
    (await drained).map(({ name, error }) => [name, (error as { code?: string } | undefined)?.code, error?.message]),
    [
      ['never ends', 'AH_KIT_DRAIN_TIMEOUT', 'the drain part "never ends" was not done within 5000 ms'],
      ['fails late', 'AH_KIT_DRAIN_TIMEOUT', 'the drain part "fails late" was not done within 3000 ms'],
    ],
  )
  assert.equal(signals[0]!.reason.code, 'AH_KIT_DRAIN_TIMEOUT')
})

test('a part may ask for more time than a timer can count', async () => {
  for (const ms of [Number.POSITIVE_INFINITY, 2 ** 40]) {
    const lifecycle = new Lifecycle()
    lifecycle.onDrain('patient', () => new Promise((resolve) => setTimeout(resolve, 20)), ms)
    assert.deepEqual(await lifecycle.drain(), [{ name: 'patient', error: undefined }])
  }
})

test('a second drain is the first one, also when a part asks for it', async () => {
  const lifecycle = new Lifecycle()
  let runs = 0
  let inner: Promise<unknown> | undefined
  lifecycle.onDrain(
    'asks again',
    () => {
      runs += 1
      assert.ok(lifecycle.isDraining)
      inner = lifecycle.drain()
    },
    1000,
  )
  const first = lifecycle.drain()
  assert.equal(lifecycle.drain(), first)
  await first
  assert.equal(inner, first)
  assert.equal(runs, 1)
})

test('without parts the drain takes no time and ends', async () => {
  const lifecycle = new Lifecycle()
  assert.equal(lifecycle.drainMs, 0)
  assert.deepEqual(await lifecycle.drain(), [])
})

test('readiness is what all checks say, with the reasons of those that fail', async () => {
  const lifecycle = new Lifecycle()
  assert.deepEqual(await lifecycle.readiness(), { ready: true, failed: [] })
  lifecycle.addReadinessCheck('fine', () => true)
  lifecycle.addReadinessCheck('fine later', async () => true)
  assert.deepEqual(await lifecycle.readiness(), { ready: true, failed: [] })
  lifecycle.addReadinessCheck('says no', () => false)
  lifecycle.addReadinessCheck('says why', async () => 'the disk is full')
  lifecycle.addReadinessCheck('throws', () => {
    throw new Error('broken')
  })
  lifecycle.addReadinessCheck('rejects', () => Promise.reject(undefined))
  lifecycle.addReadinessCheck('says nothing', () => undefined as unknown as boolean)
  assert.deepEqual(await lifecycle.readiness(), {
    ready: false,
    failed: [
      { name: 'says no', reason: 'not ready' },
      { name: 'says why', reason: 'the disk is full' },
      { name: 'throws', reason: 'broken' },
      { name: 'rejects', reason: 'thrown: undefined' },
      { name: 'says nothing', reason: 'undefined' },
    ],
  })
})

test('a check that never answers has failed, and holds up no other', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const lifecycle = new Lifecycle()
  lifecycle.addReadinessCheck('mute', never)
  lifecycle.addReadinessCheck('fine', () => true)
  const answer = lifecycle.readiness()
  await tick(t, 2000)
  assert.deepEqual(await answer, { ready: false, failed: [{ name: 'mute', reason: 'no answer within 2000 ms' }] })
})

test('a check can be replaced and taken back, but not by the one that it replaced', async () => {
  const lifecycle = new Lifecycle()
  const takeBackFirst = lifecycle.addReadinessCheck('redis', () => 'first')
  const takeBackSecond = lifecycle.addReadinessCheck('redis', () => 'second')
  takeBackFirst()
  assert.deepEqual((await lifecycle.readiness()).failed, [{ name: 'redis', reason: 'second' }])
  takeBackSecond()
  takeBackSecond()
  assert.equal((await lifecycle.readiness()).ready, true)
})

test('a draining app is never ready', async () => {
  const lifecycle = new Lifecycle()
  lifecycle.addReadinessCheck('fine', () => true)
  lifecycle.onDrain('long', never, 1)
  const drained = lifecycle.drain()
  const draining = { ready: false, failed: [{ name: 'lifecycle', reason: 'draining' }] }
  assert.deepEqual(await lifecycle.readiness(), draining)
  await drained
  assert.deepEqual(await lifecycle.readiness(), draining)
})

test('every listener hears of a death, also behind one that throws, until it takes itself back', () => {
  const lifecycle = new Lifecycle()
  const heard: string[] = []
  const takeBack = lifecycle.onPeerDeath(({ bootId }) => void heard.push(`a ${bootId}`))
  lifecycle.onPeerDeath(() => {
    throw 'a text'
  })
  lifecycle.onPeerDeath(({ bootId }) => void heard.push(`b ${bootId}`))
  const death = (bootId: string): PeerDeath => ({ bootId, pid: 7, cause: 'crashed' })
  assert.deepEqual(
    lifecycle.announcePeerDeath(death('x')).map(({ message }) => message),
    ['a text'],
  )
  takeBack()
  lifecycle.announcePeerDeath(death('y'))
  assert.deepEqual(heard, ['a x', 'b x', 'b y'])
})

test('without a manager the drain runs when the app closes, once, and its errors are logged', async (t) => {
  const { app, lines } = loggedApp(t)
  const done: string[] = []
  await app.register(async (child) => {
    lifecycleOf(child).onDrain('inner', () => void done.push('inner'), 1000)
    await child.register(async (grandchild) => {
      assert.equal(lifecycleOf(grandchild), lifecycleOf(app))
      lifecycleOf(grandchild).onDrain('broken', () => Promise.reject(new Error('no')), 1000)
    })
  })
  app.addHook('onClose', async () => void done.push('closed'))
  await app.ready()
  await Promise.all([app.close(), app.close()])
  await app.close()
  assert.deepEqual(done, ['inner', 'closed'])
  const logged = lines().filter(({ msg }) => msg === 'a drain part failed')
  assert.deepEqual(
    logged.map(({ part, err }) => [part, (err as Error).message]),
    [['broken', 'no']],
  )
})

test('a drain that the manager began is not begun again by the close', async (t) => {
  const { app } = loggedApp(t)
  const runs: string[] = []
  lifecycleOf(app).onDrain('counted', () => void runs.push('a run'), 1000)
  await app.ready()
  await lifecycleOf(app).drain()
  await app.close()
  assert.equal(runs.length, 1)
})

test('two apps in one process have lifecycles of their own', (t) => {
  assert.notEqual(lifecycleOf(loggedApp(t).app), lifecycleOf(loggedApp(t).app))
})

/** Lets what is ready run, lets `ms` pass, and again. */
async function tick(t: TestContext, ms: number): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  t.mock.timers.tick(ms)
  await new Promise((resolve) => setImmediate(resolve))
}
