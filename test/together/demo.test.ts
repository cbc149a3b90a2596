// The demo as a user meets it: two workers, one cache, and what happens when they are killed.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { httpGet, isAlive, until } from 'fastify-ah-test-support'
import { startDemo } from './demo.ts'

test('a value that one worker saved is loaded by the other', async (t) => {
  const demo = await startDemo(t)
  const pids = await demo.untilServing()
  const { savedBy } = await demo.ask<{ savedBy: number }>('PUT', '/notes/shared', { text: 'hello' })
  assert.ok(pids.includes(savedBy))
  const note = await until(
    async () => {
      const answer = await demo.ask<{ text: string; savedBy: number; loadedBy: number }>('GET', '/notes/shared')
      return answer.loadedBy !== savedBy && answer
    },
    { what: 'the other worker answers' },
  )
  assert.deepEqual(note, { text: 'hello', savedBy, loadedBy: pids.find((pid) => pid !== savedBy) })
})

test('fifty clicks at once are counted fifty times, and both workers count', async (t) => {
  const demo = await startDemo(t)
  const pids = await demo.untilServing()
  const click = () => demo.ask<{ count: number; countedBy: number }>('POST', '/count')
  const answers: { count: number; countedBy: number }[] = []
  const countedBy = () => new Set(answers.map((answer) => answer.countedBy))
  // The kernel may give all fifty to one worker: then fifty more are due.
  await until(async () => {
    answers.push(...(await Promise.all(Array.from({ length: 50 }, click))))
    return countedBy().size === pids.length
  })
  assert.deepEqual(
    answers.map(({ count }) => count).sort((a, b) => a - b),
    answers.map((_, index) => index + 1),
  )
  assert.deepEqual(countedBy(), new Set(pids))
})

test('[63] a worker killed with -9 is replaced while the other serves', async (t) => {
  const demo = await startDemo(t)
  const [victim, other] = (await demo.untilServing()) as [number, number]
  await demo.ask('POST', '/count')
  process.kill(victim, 'SIGKILL')
  await until(() => !isAlive(victim), { what: 'the victim is dead' })
  const state = await demo.state()
  assert.equal(state.count, 1)
  assert.ok(state.answeredBy === other || state.workers.some(({ pid }) => pid === state.answeredBy))
  const now = await demo.untilServing([victim])
  assert.ok(now.includes(other))
})

test('[63] with every worker killed at once a request waits and is answered by a new one', async (t) => {
  const demo = await startDemo(t)
  const before = await demo.untilServing()
  await demo.ask('POST', '/count')
  for (const pid of before) process.kill(pid, 'SIGKILL')
  await until(() => before.every((pid) => !isAlive(pid)), { what: 'both are dead', everyMs: 1 })
  const answer = await httpGet({ port: demo.port }, { path: '/state', timeoutMs: 20_000 })
  const { answeredBy, count } = JSON.parse(answer.body) as { answeredBy: number; count: number }
  assert.equal(answer.status, 200)
  assert.ok(!before.includes(answeredBy))
  // The store lives in the primary, so the count outlives them.
  assert.equal(count, 1)
})

test('Ctrl-C leaves no process, socket or temporary folder', async (t) => {
  const demo = await startDemo(t)
  const pids = await demo.untilServing()
  assert.notDeepEqual(readdirSync(demo.process.tmpDir), [], 'the embedded store has a folder')
  demo.process.kill('SIGINT')
  assert.deepEqual(await demo.process.exited, { code: 0, signal: null })
  assert.deepEqual(pids.filter(isAlive), [])
  assert.deepEqual(demo.process.descendants(), [])
  assert.deepEqual(readdirSync(demo.process.tmpDir), [])
  await assert.rejects(httpGet({ port: demo.port }), /ECONNREFUSED/)
  await demo.process.assertNothingUnhandled()
})
