// An app whose Redis cannot be reached, or does not let it in, does not start: one clear error, and nothing is left.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { lifecycleOf } from 'fastify-ah-kit'
import { type RedisOption, redisFor, redisRegistryOf } from 'fastify-ah-kit/redis'
import { freePort, startProxy, startRedis, until } from 'fastify-ah-test-support'
import { loggedApp } from './app.ts'

const secret = 'hunter2secret'
const secured = await startRedis({ password: secret }, test)
const open = await startRedis({}, test)
const encrypted = await startRedis({ tls: true }, test)
const sentinel = await startRedis({ args: ['--sentinel'] }, test)

interface Boot {
  /** The `redis` option. */
  readonly redis: unknown
  /** What the one error says. */
  readonly says: RegExp
}

/** Boots an app that must fail: one clear error, and the password is in nothing that it says or logs. */
async function failToBoot(t: TestContext, { redis, says }: Boot): Promise<void> {
  const { app, lines, text } = loggedApp(t)
  app.register(async (child) => {
    await redisFor(child, { owner: 'test', redis: redis as RedisOption })
  })
  const error = await app.ready().then(
    () => assert.fail(`it booted: ${inspect(redis)}`),
    (thrown: Error & { code?: string }) => thrown,
  )
  // Fastify would say AVV_ERR_PLUGIN_EXEC_TIMEOUT after 10 s.
  assert.equal(error.code, 'AH_KIT_REDIS_BOOT')
  assert.match(error.message, says)
  app.log.fatal({ err: error }, 'not started')
  await app.close()
  assert.ok(lines().filter(({ level }) => level === 40).length <= 1, 'at most one warning while it tried')
  const said = text() + inspect(error, { depth: 10, showHidden: true }) + error.stack + JSON.stringify(error)
  assert.ok(!said.includes(secret), said)
  assert.deepEqual(redisRegistryOf(app).connections, [])
}

const host = '127.0.0.1'
const nobody = await freePort()

test('[9] a wrong password, a missing one and an unknown user are told at once', async (t) => {
  const wrong = `wrong-${secret}`
  const port = secured.port
  await Promise.all(
    [
      {
        redis: `redis://:${wrong}@${host}:${port}`,
        says: /^Redis at redis:\/\/127.0.0.1:\d+\/0: not let in: WRONGPASS/,
      },
      { redis: { host, port, password: wrong, protocol: 2 }, says: /: not let in: WRONGPASS/ },
      { redis: { host, port, username: 'nobody', password: wrong, db: 3 }, says: /\/3: not let in: WRONGPASS/ },
      { redis: { host, port }, says: /: not let in: NOAUTH/ },
      { redis: { host, port, protocol: 2 }, says: /: not let in: NOAUTH/ },
      {
        redis: { cluster: [`redis://:${wrong}@${host}:${port}`] },
        says: /^Redis at Redis Cluster at 127.0.0.1:\d+: not let in: WRONGPASS/,
      },
    ].map((boot) => failToBoot(t, boot)),
  )
})

test('[9] an untrusted certificate and a server without Cluster are told at once', async (t) => {
  const { port } = encrypted
  await Promise.all(
    [
      { redis: `rediss://:${secret}@${host}:${port}`, says: /^Redis at rediss:.*not let in: .*certificate/ },
      { redis: { host, port, tls: {} }, says: /not let in: .*certificate/ },
      { redis: { cluster: [{ host, port: open.port }] }, says: /not let in: .*cluster support disabled/ },
    ].map((boot) => failToBoot(t, boot)),
  )
})

test('[9] an app whose Redis comes up while it waits does boot', async (t) => {
  const late = await startProxy({ target: open }, t)
  late.refuse()
  const { app, lines } = loggedApp(t)
  const booting = redisFor(app, { owner: 'test', redis: late.url })
  await until(() => lines().some(({ msg }) => msg === 'the connection to Redis has an error'))
  await late.accept()
  assert.equal(await (await booting).isAnswering(), true)
  assert.deepEqual(
    lines().map(({ msg }) => msg),
    ['the connection to Redis has an error', 'Redis is back'],
  )
})

// Each waits for eight seconds: together.
describe('boot', { concurrency: true }, () => {
  test('[9] a Redis that is down, deaf, nowhere, or has no master is told in time', async (t) => {
    const hole = await startProxy({ target: open }, t)
    hole.swallow()
    const inTime = 'no connection within 8000 ms'
    await Promise.all(
      [
        { redis: `redis://:${secret}@${host}:${nobody}`, says: new RegExp(`${inTime}: connect ECONNREFUSED`) },
        { redis: '/tmp/there-is-no-such-socket', says: new RegExp(`^Redis at /tmp/there.*${inTime}: connect ENOENT`) },
        {
          redis: `redis://:${secret}@no-such-host.invalid`,
          says: new RegExp(`${inTime}: getaddrinfo (ENOTFOUND|EAI_AGAIN)`),
        },
        { redis: hole.url, says: new RegExp(inTime) },
        // A server that does not speak TLS waits for the rest of what it takes for a command.
        { redis: `rediss://:${secret}@${host}:${open.port}`, says: new RegExp(inTime) },
        {
          redis: { sentinels: [{ host, port: sentinel.port }], name: 'unknown', password: secret },
          says: new RegExp(`^Redis at master "unknown" of the sentinels at .*${inTime}: All sentinels are unreachable`),
        },
        {
          redis: { sentinels: [{ host, port: nobody }], name: 'unknown', sentinelPassword: secret },
          says: new RegExp(`${inTime}: All sentinels are unreachable`),
        },
        {
          redis: { cluster: [{ host, port: nobody, password: secret }] },
          says: new RegExp(`^Redis at Redis Cluster at 127.0.0.1:${nobody}: ${inTime}: `),
        },
      ].map((boot) => failToBoot(t, boot)),
    )
  })

  test('[9] a Redis that does not boot takes no other one with it', async (t) => {
    const { app } = loggedApp(t)
    const healthy = await redisFor(app, { owner: 'one', redis: open.url })
    const asked = ['two', 'three'].map((owner) => redisFor(app, { owner, redis: { host, port: nobody } }))
    for (const outcome of asked) {
      await assert.rejects(outcome, { code: 'AH_KIT_REDIS_BOOT', message: /ECONNREFUSED/ })
    }
    await app.ready()
    assert.equal(await healthy.read('PING', []), 'PONG')
    assert.deepEqual(await lifecycleOf(app).readiness(), { ready: true, failed: [] })
    assert.deepEqual(
      redisRegistryOf(app).connections.map(({ connection }) => connection),
      [healthy],
    )
  })

  test('[9] a client that was handed in and cannot connect is told of and left to its owner', async (t) => {
    const client = open.client({ port: nobody, lazyConnect: true })
    const { app } = loggedApp(t)
    await assert.rejects(redisFor(app, { owner: 'test', redis: client }), {
      code: 'AH_KIT_REDIS_BOOT',
      message: /no connection within 8000 ms: connect ECONNREFUSED/,
    })
    assert.notEqual(client.status, 'end')
    client.disconnect()
    const closed = open.client()
    await closed.quit()
    await until(() => closed.status === 'end')
    await assert.rejects(redisFor(loggedApp(t).app, { owner: 'test', redis: closed }), {
      code: 'AH_KIT_REDIS_BOOT',
      message: /: the client is closed/,
    })
  })
})
