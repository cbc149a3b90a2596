// Whatever state Redis is in, closing ends in time, and the process has nothing left to do.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { spawnNode, startProxy, startRedis, startRedisCluster, type TcpProxy, until } from 'fastify-ah-test-support'
import { connected, outcomeOf } from './app.ts'

const redis = await startRedis({}, test)

// QUIT may take 1 s, a socket half a second, what ioredis leaves behind a little more.
const endMs = 6000

interface Case {
  readonly state: string
  readonly happens: (proxy: TcpProxy) => void
  readonly read: Record<'ours' | 'given', RegExp>
}

const answered = /^1$/
const cases: Case[] = [
  { state: 'Redis there', happens: () => undefined, read: { ours: answered, given: /^(1|open)$/ } },
  {
    state: 'Redis gone',
    happens: (proxy) => {
      proxy.refuse()
      proxy.cut()
    },
    read: { ours: /^AH_KIT_REDIS_(DOWN|UNCERTAIN|TIMEOUT)$/, given: /^(AH_KIT_REDIS_(DOWN|TIMEOUT)|open)$/ },
  },
  {
    state: 'Redis silent',
    happens: (proxy) => proxy.swallow(),
    read: { ours: /^AH_KIT_REDIS_TIMEOUT$/, given: /^open$/ },
  },
]

describe('close', { concurrency: true }, () => {
  for (const { state, happens, read } of cases) {
    for (const kind of ['ours', 'given'] as const) {
      const client = kind === 'ours' ? 'our client' : 'a client that was handed in'
      test(`[1] [2] with ${state}, an app with ${client} closes in time and its process ends by itself`, async (t) => {
        const proxy = await startProxy({ target: redis }, t)
        const args = [kind, proxy.host, String(proxy.port)]
        const child = spawnNode(new URL('./programs/close.js', import.meta.url), { args, ipc: true }, t)
        await once(child.child, 'message')
        happens(proxy)
        let exit: unknown
        child.exited.then((how) => {
          exit = how
        })
        const said = once(child.child, 'message')
        child.child.send('close')
        await until(() => exit, { deadlineMs: endMs, what: 'the process ends by itself' })
        assert.deepEqual(exit, { code: 0, signal: null }, child.stderr())
        const [outcome] = (await said) as [{ read: string; blocked: string }]
        assert.match(outcome.read, read[kind])
        assert.equal(outcome.blocked, 'AH_KIT_REDIS_UNCERTAIN')
        await child.assertNothingUnhandled()
      })
    }
  }
})

test('close lets what is out be answered, and tells what waits that it waits in vain', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  const out = Array.from({ length: 100 }, (_, i) => connection.write('SET', ['out', String(i)]))
  const closed = connection.close()
  assert.equal(await outcomeOf(connection.write('SET', ['late', '1'])), 'AH_KIT_REDIS_DOWN')
  assert.deepEqual(await Promise.all(out), Array(100).fill('OK'))
  await closed
  assert.equal(await redis.command('GET', 'out'), '99')
  assert.equal(connection.client.status, 'end')
})

test('close ends what is out on a connection that broke, although ioredis would keep it for ever', async (t) => {
  const proxy = await startProxy({ target: redis }, t)
  const option = { host: proxy.host, port: proxy.port, maxRetriesPerRequest: null, retryStrategy: () => 60_000 }
  const { connection } = await connected(t, { redis: option, deadlineMs: 60_000 })
  proxy.swallow()
  const out = [connection.read('GET', ['a']), connection.write('SET', ['a', '1'])].map(outcomeOf)
  let outcomes: unknown
  void Promise.all(out).then((all) => {
    outcomes = all
  })
  proxy.cut()
  await until(() => connection.client.status === 'reconnecting')
  await connection.close()
  // Long before their own deadline.
  await until(() => outcomes)
  assert.deepEqual(outcomes, ['AH_KIT_REDIS_TIMEOUT', 'AH_KIT_REDIS_UNCERTAIN'])
})

test('connections to a Cluster that are closed in whatever moment of their beginning keep no process alive', async (t) => {
  const cluster = await startRedisCluster({}, t)
  const nodes = JSON.stringify(cluster.nodes.map(({ host, port }) => ({ host, port })))
  const child = spawnNode(new URL('./programs/close-early.js', import.meta.url), { args: [nodes] }, t)
  await child.waitForLine(/^closed, some of them while they looked at the cluster$/, 30_000)
  const ended = await until(() => Promise.race([child.exited, undefined]), { deadlineMs: endMs, what: 'its end' })
  assert.deepEqual(ended, { code: 0, signal: null })
})
