// A write whose answer got lost is sent again: guarded it is applied once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineGuardedScript, defineScript, guardRecordMs, RepeatGuard } from 'fastify-ah-kit/redis'
import { random, scaled, startProxy, startRedis, until } from 'fastify-ah-test-support'
import { connected, outcomeOf } from './app.ts'

const redis = await startRedis({}, test)
const proxy = await startProxy({ target: redis }, test)

const body = {
  keys: ['list'],
  args: ['item'],
  lua: `return redis.call('RPUSH', list, item)`,
}
const push = defineGuardedScript({ name: 'push', ...body })
const unguardedPush = defineScript({ name: 'unguarded-push', ...body })
/** Answers what `ARGV` makes of it, and counts how often it was applied. */
const answering = (lua: string) =>
  defineGuardedScript({ name: 'answering', keys: ['count'], args: ['...'], lua: `redis.call('INCR', count)\n${lua}` })

const isScript = (_request: Buffer, [command]: string[]) => /^eval(sha)?$/i.test(command ?? '')
const elements = (list: string) => redis.command('LRANGE', list, 0, -1)

const kinds = ['our client', 'a client that was handed in'] as const
const optionFor = (kind: (typeof kinds)[number]) =>
  kind === 'our client' ? proxy.url : redis.client({ host: proxy.host, port: proxy.port })

for (const kind of kinds) {
  test(`[11a] an answer cut off after the script was applied: applied once, its first answer returned, with ${kind}`, async (t) => {
    const { connection } = await connected(t, { redis: optionFor(kind) })
    const guard = new RepeatGuard(connection)
    const list = `guarded with ${kind}`
    assert.equal(await guard.run(push, 'record', [list], ['a']), 1)
    const cut = proxy.cutAnswers({ after: isScript })
    assert.equal(await guard.run(push, 'record', [list], ['b']), 2)
    assert.equal(await cut, 1)
    assert.equal(await guard.run(push, 'record', [list], ['c']), 3)
    assert.deepEqual(await elements(list), ['a', 'b', 'c'])
  })

  test(`[11a] the same without the guard is applied twice, with ${kind}`, async (t) => {
    const { connection } = await connected(t, { redis: optionFor(kind) })
    const list = `unguarded with ${kind}`
    assert.equal(await connection.run(unguardedPush, [list], ['a']), 1)
    const cut = proxy.cutAnswers({ after: isScript })
    assert.equal(await connection.run(unguardedPush, [list], ['b']), 3)
    assert.equal(await cut, 1)
    assert.deepEqual(await elements(list), ['a', 'b', 'b'])
  })
}

test('[11a] a script that the server does not know yet is guarded too', async (t) => {
  const { connection } = await connected(t, { redis: proxy.url })
  const guard = new RepeatGuard(connection)
  await redis.command('SCRIPT', 'FLUSH')
  const cut = proxy.cutAnswers({ after: (_request, [command]) => command === 'eval' })
  assert.equal(await guard.run(push, 'record', ['unknown script'], ['a']), 1)
  assert.equal(await cut, 1)
  assert.deepEqual(await elements('unknown script'), ['a'])
})

test('[11a] answers cut off again and again: every item is there once, in order', async (t) => {
  const { connection } = await connected(t, { redis: proxy.url })
  const guard = new RepeatGuard(connection)
  const count = scaled(2000, 100)
  const items = Array.from({ length: count }, (_, i) => String(i))
  let cuts = 0
  const after = (_request: Buffer, [command]: string[]) => {
    if (!/^eval(sha)?$/.test(command ?? '') || random() > 0.1) return false
    cuts += 1
    return true
  }
  const done = proxy.cutAnswers({ after, times: Number.POSITIVE_INFINITY })
  const answers = await Promise.all(items.map((item) => guard.run<number>(push, 'record', ['many'], [item])))
  proxy.pass()
  await done
  assert.ok(cuts > 0)
  assert.deepEqual(
    answers,
    items.map((_, i) => i + 1),
  )
  assert.deepEqual(await elements('many'), items)
})

test('[11a] a guard keeps the order of calls of a record, and other records do not wait for it', async (t) => {
  const { connection } = await connected(t, { redis: proxy.url })
  const guard = new RepeatGuard(connection)
  const answers = Array.from({ length: 100 }, (_, i) => guard.run<number>(push, 'one', ['ordered'], [String(i)]))
  // The hundred wait for each other; this one, asked last, is answered among the first.
  let isLast = true
  void answers.at(-1)?.then(() => {
    isLast = false
  })
  await guard.run(push, 'two', ['another'], ['x'])
  assert.ok(isLast)
  assert.deepEqual(
    await Promise.all(answers),
    Array.from({ length: 100 }, (_, i) => i + 1),
  )
})

test('[2] calls of a record that wait for each other do not add up their deadlines', async (t) => {
  const hole = await startProxy({ target: redis }, t)
  const { connection } = await connected(t, { redis: hole.url, deadlineMs: 600 })
  const guard = new RepeatGuard(connection)
  assert.equal(await guard.run(push, 'record', ['waits'], ['before']), 1)
  hole.swallow()
  const from = performance.now()
  const items = Array.from({ length: 20 }, (_, index) => String(index))
  const outcomes = await Promise.all(items.map((item) => outcomeOf(guard.run(push, 'record', ['waits'], [item]))))
  // One deadline, and what a busy machine adds; one after the other it would be 12 s.
  assert.ok(performance.now() - from < 5_000)
  assert.deepEqual(outcomes, ['AH_KIT_REDIS_UNCERTAIN', ...Array(19).fill('AH_KIT_REDIS_DOWN')])
  hole.pass()
  await until(async () => typeof (await outcomeOf(guard.run(push, 'record', ['waits'], ['after']))) === 'number')
  const kept = (await elements('waits')) as string[]
  assert.deepEqual(
    kept.filter((item) => !['before', 'after', '0'].includes(item)),
    [],
    'what is said to be down was never sent',
  )
})

test('a call that Redis refuses does not stop its record', async (t) => {
  const { connection } = await connected(t, { redis: proxy.url })
  const guard = new RepeatGuard(connection)
  await redis.command('SET', 'no list', 'x')
  const answers = [
    guard.run<number>(push, 'record', ['a list'], ['a']),
    guard.run<number>(push, 'record', ['no list'], ['b']),
    guard.run<number>(push, 'record', ['a list'], ['c']),
  ]
  assert.deepEqual(await Promise.all(answers.map(outcomeOf)), [1, 'AH_KIT_REDIS_REFUSED', 2])
})

test('[11a] whatever a script answers, a repeat gets the same and applies nothing', async (t) => {
  const { connection } = await connected(t, { redis: proxy.url })
  const binary = Buffer.from([0, 255, 10, 13, 34])
  const cases: [lua: string, args: (string | Buffer)[], answer: unknown][] = [
    ['return 0', [], 0],
    ['return 1234567890123', [], 1234567890123],
    ['return -5', [], -5],
    ['return true', [], 1],
    ['return false', [], null],
    ['return nil', [], null],
    ['', [], null],
    ['return ""', [], Buffer.from('')],
    ['return "12"', [], Buffer.from('12')],
    ['return ARGV[2]', [binary], binary],
    ['return {}', [], []],
    ['return {1, "a", {2, {"b", ARGV[2]}}, {}}', [binary], [1, Buffer.from('a'), [2, [Buffer.from('b'), binary]], []]],
    ['return {false, 1, false}', [], [null, 1, null]],
    ['return redis.status_reply("FINE")', [], Buffer.from('FINE')],
  ]
  for (const [index, [lua, args, answer]] of cases.entries()) {
    const script = answering(lua)
    const run = (number: number) =>
      connection.run(script, [`record-${index}`, `count-${index}`], [number, ...args], { buffers: true })
    assert.deepEqual(await run(1), answer, lua)
    assert.deepEqual(await run(1), answer, lua)
    assert.equal(await redis.command('GET', `count-${index}`), '1')
    assert.deepEqual(await run(2), answer, lua)
    assert.equal(await redis.command('GET', `count-${index}`), '2')
  }
})

test('[11a] an error that a script answers is answered to its repeat too', async (t) => {
  const { connection } = await connected(t, { redis: proxy.url })
  const script = answering('return redis.error_reply("NOWAY because")')
  for (let repeat = 0; repeat < 2; repeat++) {
    await assert.rejects(connection.run(script, ['record-error', 'count-error'], [1]), {
      code: 'AH_KIT_REDIS_REFUSED',
      message: /NOWAY because/,
    })
  }
  assert.equal(await redis.command('GET', 'count-error'), '1')
})

test('[11a] a repeat that comes after a later call is not applied, and says that nobody knows its answer', async (t) => {
  const { connection } = await connected(t, { redis: proxy.url })
  assert.equal(await connection.run(push, ['stale', 'late'], [7, 'a']), 1)
  assert.equal(await outcomeOf(connection.run(push, ['stale', 'late'], [6, 'b'])), 'AH_KIT_REDIS_UNCERTAIN')
  assert.deepEqual(await elements('late'), ['a'])
})

test('[11a] a call that came to its deadline is applied at most once, and never after a later one', async (t) => {
  const hole = await startProxy({ target: redis }, t)
  const { connection } = await connected(t, { redis: hole.url, deadlineMs: 300 })
  const guard = new RepeatGuard(connection)
  await guard.run(push, 'record', ['holes'], ['start'])
  for (let round = 0; round < 3; round++) {
    hole.swallow()
    assert.equal(await outcomeOf(guard.run(push, 'record', ['holes'], [`lost ${round}`])), 'AH_KIT_REDIS_UNCERTAIN')
    hole.pass()
    await until(
      async () => typeof (await outcomeOf(guard.run(push, 'record', ['holes'], [`sure ${round}`]))) === 'number',
    )
  }
  const found = (await elements('holes')) as string[]
  for (let round = 0; round < 3; round++) {
    const lost = found.indexOf(`lost ${round}`)
    assert.equal(found.lastIndexOf(`lost ${round}`), lost)
    assert.ok(lost < found.indexOf(`sure ${round}`))
  }
})

test('two guards that use one record by name do not answer for each other', async (t) => {
  const { connection } = await connected(t, { redis: proxy.url })
  const guards = [new RepeatGuard(connection), new RepeatGuard(connection)]
  const answers = await Promise.all(guards.map((guard, i) => guard.run(push, 'shared', ['by two'], [String(i)])))
  assert.deepEqual(answers.sort(), [1, 2])
})

test('a record goes away by itself', async (t) => {
  const { connection } = await connected(t, { redis: proxy.url })
  await new RepeatGuard(connection).run(push, 'to expire', ['list of it'], ['a'])
  const [record] = (await redis.command('KEYS', 'to expire:*')) as [string]
  const ttl = Number(await redis.command('PTTL', record))
  assert.ok(ttl > guardRecordMs - 60_000 && ttl <= guardRecordMs)
})

test('a script finds its keys and arguments under their names, the rest behind them', async (t) => {
  const { connection } = await connected(t, { redis: proxy.url })
  const two = defineGuardedScript({
    name: 'two',
    keys: ['first', 'second'],
    args: ['a', 'b', '...'],
    lua: `return {first, second, a, b, ARGV[4], #KEYS}`,
  })
  const answer = await new RepeatGuard(connection).run(two, 'named', ['k1', 'k2'], ['x', 'y', 'z'])
  assert.deepEqual(answer, ['k1', 'k2', 'x', 'y', 'z', 3])
  const plain = defineScript({
    name: 'plain',
    keys: ['first', '...'],
    args: [],
    lua: 'return {first, KEYS[2], ARGV[1]}',
  })
  assert.deepEqual(await connection.run(plain, ['k1', 'k2'], ['x']), ['k1', 'k2', 'x'])
})
