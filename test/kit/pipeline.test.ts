// Several commands in one go, binary values, and the record of what was sent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { defineScript } from 'fastify-ah-kit/redis'
import { startProxy, startRedis } from 'fastify-ah-test-support'
import { connected } from './app.ts'

const redis = await startRedis({}, test)

const save = defineScript({
  name: 'save',
  keys: ['key'],
  args: ['value'],
  lua: `return redis.call('SET', key, value).ok`,
})

test('a pipeline answers each command by itself: errors for some, answers for the others', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  await connection.write('RPUSH', ['another list', 'x'])
  const answers = await connection.pipeline([
    { command: 'SET', args: ['piped', 'hunter2'] },
    { command: 'GET', args: ['another list'] },
    { command: 'GET', args: ['piped'] },
    { command: 'INCRBY', args: ['piped', 5] },
  ])
  assert.deepEqual([answers[0], answers[2]], ['OK', 'hunter2'])
  for (const index of [1, 3]) {
    assert.equal((answers[index] as { code: string }).code, 'AH_KIT_REDIS_REFUSED')
    assert.ok(!inspect(answers[index], { depth: 10 }).includes('hunter2'))
  }
  assert.deepEqual(await connection.pipeline([]), [])
})

test('scripts go along in a pipeline, also to a server that forgot them', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  const steps = (round: string) => [
    { script: save, keys: ['scripted a'], args: [`a ${round}`] },
    { command: 'GET', args: ['scripted a'] },
    { script: save, keys: ['scripted b'], args: [`b ${round}`] },
  ]
  assert.deepEqual(await connection.pipeline(steps('1')), ['OK', 'a 1', 'OK'])
  await redis.command('SCRIPT', 'FLUSH')
  const [first, , last] = await connection.pipeline(steps('2'))
  assert.deepEqual([first, last], ['OK', 'OK'])
  assert.deepEqual(await connection.read('MGET', ['scripted a', 'scripted b']), ['a 2', 'b 2'])
  await redis.command('SCRIPT', 'FLUSH')
  const scripts = steps('3').filter((step) => 'script' in step)
  assert.deepEqual(await connection.pipeline(scripts), ['OK', 'OK'], 'also where it knows none of them')
  assert.ok(connection.sent.has('save'))
})

test('a pipeline whose answers are cut off in the middle is completed', async (t) => {
  const proxy = await startProxy({ target: redis }, t)
  const { connection } = await connected(t, { redis: proxy.url })
  const commands = Array.from({ length: 100 }, (_, i) => ({ command: 'SET', args: [`piped-${i}`, String(i)] }))
  const cut = proxy.cutAnswers({ after: (_request, parts) => parts[1] === 'piped-50' })
  assert.deepEqual(await connection.pipeline(commands), Array(100).fill('OK'))
  assert.equal(await cut, 1)
  const answers = await connection.pipeline(
    commands.map(({ args }) => ({ command: 'GET', args: [args[0]!] })),
    { isWrite: false },
  )
  assert.deepEqual(
    answers,
    commands.map(({ args }) => args[1]),
  )
})

test('a pipeline without an answer has the error of each command in its place', async (t) => {
  const hole = await startProxy({ target: redis }, t)
  const { connection } = await connected(t, { redis: hole.url, deadlineMs: 200 })
  hole.swallow()
  const commands = [
    { command: 'GET', args: ['a'] },
    { command: 'GET', args: ['b'] },
  ]
  const [reads, writes] = await Promise.all([
    connection.pipeline(commands, { isWrite: false }),
    connection.pipeline(commands),
  ])
  const codes = (answers: unknown[]) => answers.map((error) => (error as { code: string }).code)
  assert.deepEqual(codes(reads), ['AH_KIT_REDIS_TIMEOUT', 'AH_KIT_REDIS_TIMEOUT'])
  assert.deepEqual(codes(writes), ['AH_KIT_REDIS_UNCERTAIN', 'AH_KIT_REDIS_UNCERTAIN'])
})

test('binary values come and go as they are', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  const bytes = Buffer.from([0, 255, 13, 10, 128])
  await connection.write('SET', ['binary', bytes])
  assert.deepEqual(await connection.read('GET', ['binary'], { buffers: true }), bytes)
  await connection.pipeline([{ command: 'SET', args: [Buffer.from('binary'), bytes] }])
  const load = defineScript({
    name: 'load',
    keys: ['key'],
    args: [],
    writes: false,
    lua: `return redis.call('GET', key)`,
  })
  assert.deepEqual(await connection.run(load, ['binary'], [], { buffers: true }), bytes)
})

test('what was sent is on record, for tests that break each of it in turn', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  await connection.read('GET', ['a'])
  await connection.write('SET', ['a', '1'])
  await connection.run(save, ['a'], ['1'])
  await connection.pipeline([{ command: 'DEL', args: ['a'] }])
  assert.deepEqual([...connection.sent], ['GET', 'SET', 'save', 'DEL'])
})
