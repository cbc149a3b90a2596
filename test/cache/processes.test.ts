// Processes that are killed in the middle of a write, or stopped while they hold a lock.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { random, scaled, spawnNode, startRedis, until } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const client = redis.client()

test('[13] a process killed at any instant leaves no value and no lock without its end', async (t) => {
  await client.flushall()
  const writer = new URL('./programs/writer.js', import.meta.url)
  const atOnce = 4
  for (let killed = 0; killed < scaled(40, 8); killed += atOnce) {
    const children = Array.from({ length: atOnce }, () => spawnNode(writer, { args: [redis.url], ipc: true }, t))
    await Promise.all(children.map(({ child }) => once(child, 'message')))
    // Time is the subject: the instant of the kill must be any.
    await sleep(random() * 60)
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(children.map(({ exited }) => exited))
    for (const child of children) await child.assertNothingUnhandled()
  }
  const keys = await client.keys('actionhero:*')
  assert.ok(keys.length > 100, 'they did write')
  const endless: string[] = []
  await Promise.all(keys.map(async (key) => (await client.pttl(key)) > 0 || endless.push(key)))
  assert.deepEqual(endless, [])
})

test('[14] a holder that was stopped past its time neither keeps nor takes away the lock', async (t) => {
  const key = 'held'
  const cache = await openCache({ redis: redis.url }, t)
  const holder = spawnNode(
    new URL('./programs/holder.js', import.meta.url),
    { args: [redis.url, key, '300'], ipc: true },
    t,
  )
  assert.deepEqual(await once(holder.child, 'message'), [{ locked: true }, undefined])
  assert.equal(await cache.lock(key), false)
  holder.kill('SIGSTOP')
  await until(() => cache.lock(key, 60_000))

  const ask = async (what: string) => {
    const answer = once(holder.child, 'message')
    holder.child.send(what)
    return (await answer)[0]
  }
  holder.kill('SIGCONT')
  assert.deepEqual(await ask('check'), { mayWrite: false })
  assert.deepEqual(await ask('unlock'), { unlocked: false })
  assert.equal(await client.get(`actionhero:lock:${key}`), cache.owner)
  assert.equal(await cache.unlock(key), true)
  assert.deepEqual(await ask('unlock'), { unlocked: true })
  await holder.assertNothingUnhandled()
})

test('[13] a process killed at any instant while it counts, produces or works under locks leaves nothing without its end', async (t) => {
  await client.flushall()
  const sure = new Map<number, number>()
  const atOnce = 4
  for (let killed = 0; killed < scaled(40, 8); killed += atOnce) {
    const counter = new URL('./programs/counter.js', import.meta.url)
    const children = Array.from({ length: atOnce }, () => spawnNode(counter, { args: [redis.url], ipc: true }, t))
    await Promise.all(children.map(({ child }) => once(child, 'message')))
    for (const { child, pid } of children) child.on('message', (round) => sure.set(pid, Number(round)))
    // Time is the subject: the instant of the kill must be any.
    await sleep(random() * 60)
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(children.map(({ exited }) => exited))
    for (const child of children) await child.assertNothingUnhandled()
  }
  const keys = (await client.keys('actionhero:*')).filter((key) => !key.startsWith('actionhero:tag:'))
  assert.ok(keys.length > 100, 'they did count')
  const endless: string[] = []
  // -2 for what ended since it was listed: leases last seconds.
  await Promise.all(keys.map(async (key) => (await client.pttl(key)) !== -1 || endless.push(key)))
  assert.deepEqual(endless, [])
  const cache = await openCache({ redis: redis.url }, t)
  let all = 0
  for (const [pid, rounds] of sure) {
    const counted = (await cache.get<number>(`mine ${pid}`)) ?? 0
    assert.ok(counted === rounds || counted === rounds + 1, `${counted} of ${rounds}`)
    all += rounds
  }
  assert.ok((await cache.get<number>('shared'))! >= all)
})

test('[14] withLock tells a holder that stood still past its time, and its token is refused', async (t) => {
  const key = 'run under a lock'
  const cache = await openCache({ redis: redis.url }, t)
  const holder = spawnNode(
    new URL('./programs/lock-runner.js', import.meta.url),
    { args: [redis.url, key, '300'], ipc: true },
    t,
  )
  const said: Record<string, unknown>[] = []
  holder.child.on('message', (message) => said.push(message as Record<string, unknown>))
  await until(() => said.length === 1)
  // Renewed again and again: it outlives its time many times over.
  await sleep(900)
  assert.equal(await cache.lock(key), false)
  assert.equal(said.length, 1)
  holder.kill('SIGSTOP')
  const second = await cache.withLock(key, { waitMs: 20_000 }, async (_, token) => {
    await cache.save(key, 'of the second', { fencingToken: token })
    return token
  })
  assert.ok(second > Number(said[0]!['token']))
  holder.kill('SIGCONT')
  await until(() => said.length === 3)
  assert.deepEqual(said.slice(1), [
    { aborted: 'AH_CACHE_LOCK_LOST', late: 'AH_CACHE_FENCED' },
    { outcome: 'AH_CACHE_LOCK_LOST' },
  ])
  assert.equal(await cache.get(key), 'of the second')
  await holder.assertNothingUnhandled()
})
