// Redis Cluster: answers cut off, slots that move, masters that freeze and die.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import calculateSlot from 'cluster-key-slot'
import { lifecycleOf } from 'fastify-ah-kit'
import { defineGuardedScript, RepeatGuard } from 'fastify-ah-kit/redis'
import { atEnd, startProxy, startRedisCluster, until } from 'fastify-ah-test-support'
import { connected, outcomeOf } from './app.ts'
import { copy, getAll, keys, namesOn, setAll, works } from './cluster-names.ts'

const cluster = await startRedisCluster({ replicas: 1, nodeTimeoutMs: 1000 }, test)
const addresses = cluster.nodes.slice(0, 3).map(({ host, port }) => ({ host, port }))

/** Failover and 5 s, by FAULTS 4 and 5. */
const backMs = 10_000

const push = defineGuardedScript({
  name: 'push',
  keys: ['list'],
  args: ['item'],
  lua: `return redis.call('RPUSH', list, item)`,
})

test('[11a] a guarded write whose answer is cut off is applied once, on whichever master', async (t) => {
  const proxies = await Promise.all(cluster.nodes.map((target) => startProxy({ target }, t)))
  const natMap = Object.fromEntries(
    cluster.nodes.map(({ host, port }, i) => [`${host}:${port}`, { host, port: proxies[i]!.port }]),
  )
  const { connection } = await connected(t, {
    redis: { cluster: proxies.map(({ host, port }) => ({ host, port })), options: { natMap } },
  })
  const guard = new RepeatGuard(connection)
  for (let i = 0; i < 9; i++) {
    const list = keys.key('list', `guarded-${i}`)
    const record = keys.key('record', `guarded-${i}`)
    assert.equal(await guard.run(push, record, [list], ['a']), 1)
    const cuts = proxies.map((proxy) =>
      proxy.cutAnswers({ after: (_request, [command]) => /^eval/.test(command ?? '') }),
    )
    assert.equal(await guard.run(push, record, [list], ['b']), 2)
    for (const proxy of proxies) proxy.pass()
    // ioredis asks another node next, whose redirection may be cut off too.
    assert.ok((await Promise.all(cuts)).reduce((sum, cut) => sum + cut) >= 1)
    assert.deepEqual(await connection.read('LRANGE', [list, 0, -1]), ['a', 'b'])
  }
})

test('[5] slots that move under load: reads, writes, scripts, pipelines and guards go on', async (t) => {
  const { connection } = await connected(t, { redis: { cluster: addresses } })
  const guard = new RepeatGuard(connection)
  const name = namesOn(0, 1)[0]!
  const neighbours = [name, ...namesOn(0, 6).slice(1), ...namesOn(1, 3)]
  const [value, lock, list, record] = ['cache', 'lock', 'list', 'record'].map((kind) => keys.key(kind, name)) as [
    string,
    string,
    string,
    string,
  ]
  let isOver = false
  // Also when the test fails: after the close every call is refused at once, and the loop would let nothing else run.
  atEnd(t, () => {
    isOver = true
  })
  let pushes = 0
  let rounds = 0
  const worker = async (work: (round: number) => Promise<void>) => {
    for (let round = 1; !isOver; round++) {
      await work(round)
      rounds += 1
    }
  }
  const workers = Promise.all([
    worker(async (round) => {
      assert.equal(await connection.write('SET', [value, String(round)]), 'OK')
      assert.equal(await connection.run(copy, [value, lock], []), 'OK')
      assert.equal(await connection.read('GET', [lock]), String(round))
    }),
    worker(async () => {
      pushes += 1
      assert.equal(await guard.run(push, record, [list], [String(pushes)]), pushes)
    }),
    worker(async () => {
      const others = neighbours.slice(1)
      assert.deepEqual(
        await connection.pipeline(setAll(others, 'x')),
        others.map(() => 'OK'),
      )
      const answers = await connection.pipeline(getAll(neighbours), { isWrite: false })
      assert.deepEqual(
        answers.slice(1),
        others.map(() => 'x'),
      )
      assert.ok(!(answers[0] instanceof Error), String(answers[0]))
    }),
  ])
  const slot = calculateSlot(value)
  for (const [from, to] of [
    [0, 1],
    [1, 2],
    [2, 0],
  ] as const) {
    const before = rounds
    await cluster.migrateSlot(slot, from, to)
    await until(() => rounds > before + 30)
  }
  isOver = true
  await workers
  assert.deepEqual(
    await connection.read('LRANGE', [list, 0, -1]),
    Array.from({ length: pushes }, (_, i) => String(i + 1)),
  )
})

test('[5] a pipeline with the slots of yesterday is completed: what moved alone is sent after', async (t) => {
  const { connection } = await connected(t, { redis: { cluster: addresses } })
  const names = namesOn(1, 20)
  assert.ok(await works(connection, names))
  const slot = calculateSlot(keys.key('cache', names[7]!))
  await cluster.migrateSlot(slot, 1, 2)
  assert.deepEqual(
    await connection.pipeline(getAll(names), { isWrite: false }),
    names.map(() => 'works'),
  )
  await cluster.migrateSlot(slot, 2, 1)
  assert.deepEqual(await connection.pipeline(getAll([names[7]!]), { isWrite: false }), ['works'])
})

for (const kind of ['our client', 'a client that was handed in']) {
  test(`[2] [5] a frozen master: not ready, the others go on, and its replica takes over, with ${kind}`, async (t) => {
    const option = kind === 'our client' ? { cluster: addresses } : cluster.client()
    const { connection, app } = await connected(t, { redis: option, deadlineMs: 1000 })
    const frozen = kind === 'our client' ? 0 : 1
    const names = [...namesOn(frozen, 5), ...namesOn(2, 5)]
    assert.ok(await works(connection, names))
    const owner = await cluster.ownerOf(calculateSlot(keys.key('cache', names[0]!)))
    cluster.nodes[owner]!.pause()
    const [answers, readiness] = await Promise.all([
      connection.pipeline(getAll(names), { isWrite: false }),
      lifecycleOf(app).readiness(),
    ])
    assert.equal(readiness.ready, false)
    assert.deepEqual(answers.slice(5), Array(5).fill('works'))
    for (const answer of answers.slice(0, 5)) assert.equal((answer as { code: string }).code, 'AH_KIT_REDIS_TIMEOUT')
    await until(() => works(connection, names), { deadlineMs: backMs })
    await until(async () => (await lifecycleOf(app).readiness()).ready, { deadlineMs: backMs })
    cluster.nodes[owner]!.resume()
    await cluster.untilOk()
  })
}

test('[5] a master killed under load: its replica takes over, nothing is applied twice', async (t) => {
  const { connection, app } = await connected(t, { redis: { cluster: addresses } })
  const guard = new RepeatGuard(connection)
  const outcomes = new Map<string, unknown>()
  const names = namesOn(2, 4)
  let isOver = false
  // Also when the test fails: after the close every call is refused at once, and the loop would let nothing else run.
  atEnd(t, () => {
    isOver = true
  })
  const workers = names.map(async (name) => {
    for (let i = 0; !isOver; i++) {
      const item = `${name} ${i}`
      const answer = guard.run(push, keys.key('record', name), [keys.key('list', name)], [item])
      outcomes.set(item, await outcomeOf(answer))
    }
  })
  const done = () => [...outcomes.values()].filter((outcome) => typeof outcome === 'number').length
  await until(() => done() > 100)
  const owner = await cluster.ownerOf(calculateSlot(keys.key('list', names[0]!)))
  const killed = await cluster.killMaster(owner)
  const before = done()
  // Half of the time in which no node can hold it to be dead yet: ready now would be a lie.
  for (const end = performance.now() + 500; performance.now() < end; ) {
    assert.equal((await lifecycleOf(app).readiness()).ready, false)
  }
  await until(() => done() > before + 200, { deadlineMs: backMs })
  await until(async () => (await lifecycleOf(app).readiness()).ready, { deadlineMs: backMs })
  isOver = true
  await Promise.all(workers)
  for (const name of names) {
    const items = await connection.read<string[]>('LRANGE', [keys.key('list', name), 0, -1])
    assert.equal(new Set(items).size, items.length)
  }
  for (const [item, outcome] of outcomes) {
    assert.ok(
      typeof outcome === 'number' || /^AH_KIT_REDIS_(DOWN|UNCERTAIN)$/.test(String(outcome)),
      `${item}: ${outcome}`,
    )
  }
  await killed.restart()
  await cluster.untilOk()
})

test('[1] with every node gone nothing is ready, close ends in time, and a restart brings all back', async (t) => {
  const { connection, app } = await connected(t, { redis: { cluster: addresses }, deadlineMs: 300 })
  const { connection: other } = await connected(t, { redis: { cluster: addresses }, deadlineMs: 300 })
  await Promise.all(cluster.nodes.map((node) => node.stop()))
  await until(async () => !(await lifecycleOf(app).readiness()).ready)
  assert.match(String(await outcomeOf(connection.read('GET', ['a']))), /^AH_KIT_REDIS_(DOWN|TIMEOUT)$/)
  assert.match(String(await outcomeOf(connection.write('SET', ['a', '1']))), /^AH_KIT_REDIS_(DOWN|UNCERTAIN)$/)
  await Promise.all([other.close(), other.close()])
  await Promise.all(cluster.nodes.map((node) => node.restart()))
  await cluster.untilOk()
  await until(() => works(connection, ['a', 'b', 'c']), { deadlineMs: backMs })
  await until(async () => (await lifecycleOf(app).readiness()).ready)
})
