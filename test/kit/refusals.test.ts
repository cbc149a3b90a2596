// What Redis refuses: a coded error for the caller, or a second try; the connection goes on.
import assert from 'node:assert/strict'
import { mkdir, rmdir } from 'node:fs/promises'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { defineGuardedScript, defineScript, RepeatGuard, redisFor } from 'fastify-ah-kit/redis'
import { atEnd, scaled, startProxy, startRedis, until } from 'fastify-ah-test-support'
import { connected, loggedApp, outcomeOf } from './app.ts'
import { startOldServer } from './old-server.ts'

const redis = await startRedis({ config: { save: '3600 1', 'lua-time-limit': '50' } }, test)

const save = defineScript({
  name: 'save',
  keys: ['key'],
  args: ['value'],
  lua: `return redis.call('SET', key, value).ok`,
})
const freeing = {
  name: 'free',
  keys: ['key'],
  args: ['value'],
  allowOom: true,
  lua: `return redis.call('SET', key, value).ok`,
}
const free = defineScript(freeing)

/** A server of its own for what changes the whole server, with a connection. */
async function broken(t: Parameters<typeof connected>[0], config: Record<string, string>) {
  const server = await startRedis({ config }, t)
  return { server, ...(await connected(t, { redis: server.url })) }
}

test('[6] OOM is told to the caller, reads go on, and what is written to record or free goes through', async (t) => {
  const { server, connection } = await broken(t, { 'maxmemory-policy': 'noeviction' })
  await connection.write('SET', ['before', '1'])
  await server.command('CONFIG', 'SET', 'maxmemory', '1')
  await assert.rejects(connection.write('SET', ['more', '1']), {
    code: 'AH_KIT_REDIS_REFUSED',
    message: /^Redis refused "SET": OOM/,
  })
  assert.equal(await connection.read('GET', ['before']), '1')
  assert.equal(await outcomeOf(connection.run(save, ['script'], ['1'])), 'AH_KIT_REDIS_REFUSED')
  assert.equal(await connection.run(free, ['script'], ['1']), 'OK')
  await server.command('SCRIPT', 'FLUSH')
  assert.equal(await connection.run(free, ['script'], ['2']), 'OK')
  assert.equal(await connection.isAnswering(), true)
  await server.command('CONFIG', 'SET', 'maxmemory', '0')
  assert.equal(await connection.run(save, ['script'], ['3']), 'OK')
})

test('[6] a server that does not know the flags of scripts gets them without', async (t) => {
  const { connection } = await connected(t, { redis: await startOldServer(redis, t) })
  const once = defineGuardedScript({ ...freeing, name: 'free-once' })
  for (const value of ['1', '2']) {
    assert.equal(await connection.run(free, ['script'], [value]), 'OK')
    assert.equal(await new RepeatGuard(connection).run(once, 'record', ['once'], [value]), 'OK')
  }
  assert.deepEqual(
    await Promise.all(Array.from({ length: 5 }, () => connection.run(free, ['at once'], ['1']))),
    Array(5).fill('OK'),
  )
  assert.deepEqual(await redis.command('MGET', 'script', 'once', 'at once'), ['2', '2', '1'])
})

test('[6] a script that is wrong by itself does not take the flags from the others', async (t) => {
  const { server, connection } = await broken(t, { 'maxmemory-policy': 'noeviction' })
  const wrong = defineScript({ name: 'wrong', keys: [], args: [], allowOom: true, lua: 'return return' })
  await assert.rejects(connection.run(wrong, [], []), {
    code: 'AH_KIT_REDIS_REFUSED',
    message: /^Redis refused "wrong": ERR Error compiling script/,
  })
  await server.command('CONFIG', 'SET', 'maxmemory', '1')
  assert.equal(await connection.run(free, ['script'], ['1']), 'OK')
})

test('[6] MISCONF is told to the caller, and all goes on when the disk is mended', async (t) => {
  const { server, connection } = await broken(t, { save: '3600 1', 'stop-writes-on-bgsave-error': 'yes' })
  await connection.write('SET', ['before', '1'])
  // A folder where the file should come.
  await mkdir(`${server.dir}/dump.rdb`)
  await server.command('BGSAVE')
  await until(async () => String(await server.command('INFO', 'persistence')).includes('rdb_last_bgsave_status:err'))
  await assert.rejects(connection.write('SET', ['a', '1']), { code: 'AH_KIT_REDIS_REFUSED', message: /MISCONF/ })
  assert.equal(await outcomeOf(connection.run(save, ['a'], ['1'])), 'AH_KIT_REDIS_REFUSED')
  assert.equal(await connection.read('GET', ['before']), '1')
  await rmdir(`${server.dir}/dump.rdb`)
  await server.command('BGSAVE')
  await until(async () => String(await server.command('INFO', 'persistence')).includes('rdb_last_bgsave_status:ok'))
  assert.equal(await connection.write('SET', ['a', '1']), 'OK')
})

test('[6] NOPERM is told to the caller, names what was refused, and holds no value of it', async (t) => {
  const { connection } = await connected(t, { redis: await redis.denyCommand('set') })
  for (const refused of [connection.write('SET', ['a', 'hunter2']), connection.run(save, ['a'], ['hunter2'])]) {
    const error = await refused.then(
      () => assert.fail('it was let through'),
      (thrown) => thrown,
    )
    assert.equal(error.code, 'AH_KIT_REDIS_REFUSED')
    assert.match(
      error.message,
      /^Redis refused "(SET|save)": .*(NOPERM|can't run this command|has no permissions to run)/,
    )
    assert.ok(!inspect(error, { depth: 10 }).includes('hunter2'))
  }
  assert.equal(await connection.read('GET', ['nothing']), null)
})

test('[6] an error of the wrong kind of key comes with its cause', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  await connection.write('RPUSH', ['a list', 'x'])
  await assert.rejects(connection.read('GET', ['a list']), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'AH_KIT_REDIS_REFUSED')
    assert.match(String(error.cause), /ReplyError: WRONGTYPE/)
    return true
  })
  await assert.rejects(connection.write('FROBNICATE', ['hunter2']), /Redis refused "FROBNICATE": ERR unknown command/)
})

test('[6] LOADING is waited for', async (t) => {
  const server = await startRedis({ appendfsyncAlways: true, config: { 'key-load-delay': '0' } }, t)
  const { connection } = await connected(t, { redis: server.url })
  const client = server.client()
  const batch = client.pipeline()
  for (let i = 0; i < 2000; i++) batch.set(`key-${i}`, 'x'.repeat(100))
  await batch.exec()
  await server.command('CONFIG', 'SET', 'key-load-delay', '250')
  await server.command('CONFIG', 'REWRITE')
  // Loads for half a second or more; `restart` itself waits until it answers PING, so this runs beside it.
  const restarted = server.restart()
  await until(() => connection.client.status !== 'ready')
  const answer = connection.read('GET', ['key-1999'])
  assert.equal(await answer, 'x'.repeat(100))
  await restarted
  assert.ok(server.log().includes('Loading') || server.log().includes('DB loaded'))
})

test('[6] BUSY is waited for: a script that takes too long fails nobody else', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  const slow = redis.client().call('eval', 'local i = 0 while i < 30000000 do i = i + 1 end return i', 0)
  let refusals = 0
  await until(
    async () => {
      if (String(await outcomeOf(redis.command('PING'))).includes('BUSY')) refusals += 1
      return refusals > 0
    },
    { everyMs: 1 },
  )
  assert.equal(await connection.write('SET', ['busy', '1']), 'OK')
  assert.equal(await connection.run(save, ['busy'], ['2']), 'OK')
  await slow
})

test('[6] NOSCRIPT in a loop is never seen by the caller', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  let isOver = false
  // Also when the test fails: after the close every call is refused at once, and the loop would let nothing else run.
  atEnd(t, () => {
    isOver = true
  })
  const flushing = (async () => {
    while (!isOver) await redis.command('SCRIPT', 'FLUSH')
  })()
  const count = scaled(20_000, 1000)
  for (let i = 0; i < count; i += 10) {
    const runs = Array.from({ length: 10 }, (_, k) => connection.run(save, [`flushed-${k}`], [String(i + k)]))
    assert.deepEqual(await Promise.all(runs), Array(10).fill('OK'))
  }
  isOver = true
  await flushing
  const [usage] = String(await redis.command('INFO', 'commandstats')).match(/cmdstat_evalsha:.*/) ?? []
  assert.match(usage!, /failed_calls=[1-9]/)
})

test('[6] NOSCRIPT for a SHA that the caller sent by himself is his answer', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  await assert.rejects(connection.read('EVALSHA', ['0'.repeat(40), 0]), {
    code: 'AH_KIT_REDIS_REFUSED',
    message: /NOSCRIPT/,
  })
})

test('scripts of one tick run in the order of the calls, those too that the server does not know', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  const append = (name: string) =>
    defineScript({ name, keys: ['list'], args: [], lua: `-- ${name}\nreturn redis.call('RPUSH', list, '${name}')` })
  const [known, ...unknown] = ['a', 'b', 'c', 'd'].map(append)
  await connection.run(known!, ['in order'], [])
  await redis.command('DEL', 'in order')
  const calls = unknown.flatMap((script) => [script, known!, script, known!])
  const answers = await Promise.all(calls.map((script) => connection.run<number>(script, ['in order'], [])))
  assert.deepEqual(
    answers,
    calls.map((_, i) => i + 1),
  )
  const names = calls.map(({ name }) => name)
  assert.deepEqual(await redis.command('LRANGE', 'in order', 0, -1), names)
})

test('[6] READONLY: a master that was demoted is left, with any client; the write is known to be unapplied', async (t) => {
  for (const kind of ['our client', 'a client that was handed in']) {
    const old = await startRedis({}, t)
    const next = await startRedis({}, t)
    const first = await startProxy({ target: old }, t)
    const option = kind === 'our client' ? first.url : old.client({ host: first.host, port: first.port })
    const { connection } = await connected(t, { redis: option, deadlineMs: 300 })
    await connection.write('SET', ['a', '1'])
    await old.command('REPLICAOF', next.host, next.port)
    const connections = first.accepted
    assert.equal(await outcomeOf(connection.write('SET', ['a', '2'])), 'AH_KIT_REDIS_DOWN', kind)
    assert.ok(first.accepted > connections, `${kind} looked for the master again`)
    await old.command('REPLICAOF', 'NO', 'ONE')
    await until(async () => (await outcomeOf(connection.write('SET', ['a', '3']))) === 'OK')
  }
})

test('[10] the policy that evicts is told; without the right to ask nobody knows', async (t) => {
  const { server, connection } = await broken(t, { maxmemory: '50mb' })
  assert.equal(await connection.maxmemoryPolicy(), 'noeviction')
  await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
  assert.equal(await connection.maxmemoryPolicy(), 'allkeys-lru')
  // Without INFO ioredis cannot see whether the server is ready.
  const client = server.client({ username: 'curious', password: 'x', enableReadyCheck: false, lazyConnect: true })
  await server.command('ACL', 'SETUSER', 'curious', 'on', '>x', '~*', '+@all', '-info')
  const curious = await redisFor(loggedApp(t).app, { owner: 'test', redis: client })
  assert.equal(await curious.maxmemoryPolicy(), undefined)
})

test('a user without the right to PING is answered, which is all that readiness asks', async (t) => {
  const { connection } = await connected(t, { redis: await redis.denyCommand('ping') })
  assert.equal(await connection.isAnswering(), true)
})
