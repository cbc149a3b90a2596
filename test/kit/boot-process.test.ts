// A process whose app cannot boot ends by itself, with 1, and says nothing that it must not say.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { freePort, spawnNode, startRedis, until } from 'fastify-ah-test-support'

const secret = 'hunter2secret'
const host = '127.0.0.1'
const secured = await startRedis({ password: secret }, test)
const encrypted = await startRedis({ tls: true }, test)
const sentinel = await startRedis({ args: ['--sentinel'] }, test)
const nobody = await freePort()

// That Redis is waited for 8 s is asserted by the message. The rest is for processes that start at once on a busy machine, and
// for ioredis, whose clients to sentinels leave timers of 2 s behind.
const endMs = 60_000

interface Boot {
  /** The `redis` option. */
  readonly redis: unknown
  /** What the one error says. */
  readonly says: RegExp
}

/** Runs an app that must fail as a process: it ends by itself, with 1. */
async function failToStart(t: TestContext, { redis, says }: Boot): Promise<void> {
  const child = spawnNode(new URL('./programs/boot.js', import.meta.url), { args: [JSON.stringify(redis)] }, t)
  let code: number | null | undefined
  child.exited.then((exit) => {
    code = exit.code
  })
  await until(() => code !== undefined, { deadlineMs: endMs, what: 'the process ends by itself' })
  assert.equal(code, 1, child.stdout())
  const errors = child.lines().filter((line) => line.includes('"level":60'))
  assert.equal(errors.length, 1)
  assert.match((JSON.parse(errors[0]!) as { err: Error }).err.message, says)
  assert.ok(!(child.stdout() + child.stderr()).includes(secret), 'no password anywhere')
  await child.assertNothingUnhandled()
}

test('[9] a process whose app cannot boot ends by itself with 1, and nothing unhandled', async (t) => {
  await Promise.all(
    [
      { redis: `redis://:wrong-${secret}@${host}:${secured.port}`, says: /not let in/ },
      { redis: `rediss://:${secret}@${host}:${encrypted.port}`, says: /not let in/ },
      { redis: `redis://:${secret}@${host}:${nobody}`, says: /no connection within 8000 ms/ },
      {
        redis: { sentinels: [{ host, port: sentinel.port }], name: 'unknown' },
        says: /no connection within 8000 ms/,
      },
    ].map((boot) => failToStart(t, boot)),
  )
})
