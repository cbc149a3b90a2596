// What nobody may read: passwords, the servers' token and tokens of clients, in whatever is printed while all goes wrong.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  freePort,
  type SpawnedNode,
  spawnNode,
  startRedis,
  type TestScope,
  tempDir,
  until,
} from 'fastify-ah-test-support'
import { WebSocket } from 'ws'

const command = createRequire(import.meta.url)
  .resolve('fastify-ah/package.json')
  .replace('package.json', 'bin/fastify-ah.js')
const program = fileURLToPath(new URL('./programs/app.js', import.meta.url))

const PASSWORD = 'pass-word-of-redis'
const TOKEN = 'token-of-the-servers-long-enough-for-production'
const SHORT_TOKEN = 'token-too-short'
const QUERY_TOKEN = 'token-in-a-query'
const FAYE_TOKEN = 'token-that-a-client-guessed'
const COOKIE = 'session-of-a-user'
const secrets = [PASSWORD, TOKEN, SHORT_TOKEN, QUERY_TOKEN, FAYE_TOKEN, COOKIE]

/** Starts `fastify-ah …` where our packages are installed. */
function start(t: TestScope, args: readonly string[], env: Record<string, string>): SpawnedNode {
  const pids = args[0] === 'start' ? ['--pids', tempDir(t).path] : []
  return spawnNode(command, { args: [...args, ...pids], env, cwd: import.meta.dirname }, t)
}

const printed = (child: SpawnedNode) => child.stdout() + child.stderr()

function assertDiscreet(child: SpawnedNode, context: string): void {
  const lines = printed(child).split('\n')
  for (const secret of secrets)
    assert.deepEqual(
      lines.filter((line) => line.includes(secret)),
      [],
      `${context} prints ${secret}`,
    )
}

async function said(url: string, frames: readonly string[]): Promise<void> {
  const socket = new WebSocket(url, { headers: { cookie: `session=${COOKIE}` } })
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.once('error', () => resolve())
  })
  socket.once('open', () => {
    for (const frame of frames) socket.send(frame)
    socket.send(Buffer.from([0]), { binary: true })
  })
  await ended
}

// Most of their time is the deadlines of boots.
describe('what is printed', { concurrency: 2 }, () => {
  test('a cluster logs no secret at level trace, whatever clients send and however Redis fails', async (t) => {
    const redis = await startRedis({ password: PASSWORD }, t)
    const port = await freePort()
    const env = { REDIS_URL: redis.url, SERVER_TOKEN: TOKEN }
    assert.ok(redis.url.includes(PASSWORD))
    const args = ['start', 'cluster', program, '--workers', '1', '--host', '127.0.0.1', '--port', String(port)]
    const cluster = start(t, args, env)
    await cluster.waitForLine(/equilibrium/, 20_000)
    const work = () => fetch(`http://127.0.0.1:${port}/work`, { method: 'POST' })
    const faye = (channel: string, token: string) =>
      fetch(`http://127.0.0.1:${port}/faye`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([{ channel, data: { serverToken: token }, clientId: 'x', ext: { serverToken: token } }]),
      })
    assert.equal((await work()).status, 200)
    for (const token of [TOKEN, FAYE_TOKEN])
      for (const channel of ['/actionhero/app/x', '/actionhero/x', '/meta/handshake', 'no channel'])
        await (await faye(channel, token)).text()
    // What clients say is logged at debug, as the app's own data; what is none of it is not.
    const frames = ['{"event":"say","room":"lobby","message":"hello"}', `no JSON ${QUERY_TOKEN}`]
    await said(`ws://127.0.0.1:${port}/ah/ws?token=${QUERY_TOKEN}`, frames)
    await said(`ws://127.0.0.1:${port}/primus?token=${QUERY_TOKEN}`, frames)
    await said(`ws://127.0.0.1:${port}/nowhere?token=${QUERY_TOKEN}`, frames)
    for (const channel of (await redis.command('PUBSUB', 'CHANNELS')) as string[])
      await redis.command('PUBLISH', channel, `{"token":"${FAYE_TOKEN}"}`)
    const failing = redis.stop().then(() => work())
    assert.equal((await failing).status, 200)
    await redis.restart()
    await until(async () => ((await (await work()).json()) as string[]).every((status) => status === 'fulfilled'), {
      what: 'work as before',
      deadlineMs: 20_000,
    })
    cluster.kill()
    assert.equal((await cluster.exited).code, 0)
    assert.match(cluster.stdout(), /"level":(10|20)/, 'nothing was logged in detail')
    assert.match(cluster.stdout(), /incoming request/)
    assertDiscreet(cluster, 'the cluster')
  })

  test('a boot that fails and a command that cannot connect name the server, and no secret', async (t) => {
    const redis = await startRedis({ password: PASSWORD }, t)
    const away = redis.url.replace(/:\d+$/, `:${await freePort()}`)
    const wrong = redis.url.replace(PASSWORD, QUERY_TOKEN)
    const args = ['start', program, '--port', String(await freePort())]
    const runs: [string, readonly string[], Record<string, string>, RegExp][] = [
      ['Redis away', args, { REDIS_URL: away, SERVER_TOKEN: TOKEN }, /127\.0\.0\.1:\d+/],
      ['a wrong password', args, { REDIS_URL: wrong, SERVER_TOKEN: TOKEN }, /WRONGPASS|password/i],
      ['a short token', args, { REDIS_URL: redis.url, SERVER_TOKEN: SHORT_TOKEN, NODE_ENV: 'production' }, /32/],
      ['cache', ['cache', 'keys', '--redis', away], {}, /127\.0\.0\.1:\d+/],
      ['cache', ['cache', 'keys', '--redis', wrong], {}, /WRONGPASS|password/i],
      ['tasks', ['tasks', 'list', '--redis', away], {}, /127\.0\.0\.1:\d+/],
      ['a url that is none', ['tasks', 'list', '--redis', `redis:/:${PASSWORD}@`], {}, /redis/],
    ]
    await Promise.all(
      runs.map(async ([what, words, env, says]) => {
        const child = start(t, words, env)
        assert.notEqual((await child.exited).code, 0, what)
        assert.match(printed(child), says, what)
        assertDiscreet(child, what)
      }),
    )
  })
})
