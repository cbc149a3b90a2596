// The plugin where there is no manager, its options, and its three ways to be imported.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type FastifyInstance, fastify } from 'fastify'
import * as entry from 'fastify-ah-cluster'
import fastifyAhCluster, { type FastifyAhClusterOptions } from 'fastify-ah-cluster'
import * as plain from 'fastify-ah-cluster/plugin'
import { lifecycleOf } from 'fastify-ah-kit'
import { httpGet, spawnNode, until } from 'fastify-ah-test-support'

async function open(t: TestContext, options?: FastifyAhClusterOptions): Promise<FastifyInstance> {
  const app = fastify()
  t.after(() => app.close())
  await app.register(fastifyAhCluster, options ?? {})
  return app
}

test('it is the same plugin by default, by name, by require and by the entry without types', () => {
  const required: unknown = createRequire(import.meta.url)('fastify-ah-cluster')
  assert.equal(required, fastifyAhCluster)
  assert.equal(entry.fastifyAhCluster, fastifyAhCluster)
  assert.equal(plain.default, fastifyAhCluster)
})

test('without a manager a process is a cluster of one', async (t) => {
  const app = await open(t)
  const { id, generation, isWorker, title, role } = app.cluster
  assert.deepEqual({ id, generation, isWorker, role }, { id: 1, generation: 1, isWorker: false, role: undefined })
  assert.equal(title, `${hostname()}-${process.pid}`)
  const { workers, primaryPid } = await app.cluster.status()
  assert.equal(primaryPid, undefined)
  assert.deepEqual(
    workers.map(({ pid, state }) => ({ pid, state })),
    [{ pid: process.pid, state: 'started' }],
  )
})

test('close() without a manager answers what is in hand, closes the app, and is fine twice', async (t) => {
  const node = spawnNode(join(import.meta.dirname, 'fixtures/standalone.js'), { ipc: true }, t)
  const said: unknown[] = []
  node.child.on('message', (message) => said.push(message))
  const [address] = (await once(node.child, 'message')) as [string]
  const target = { port: Number(new URL(address).port) }
  assert.equal(JSON.parse((await httpGet(target)).body).isWorker, false)
  const slow = httpGet(target, { path: '/slow' })
  await until(() => said.includes('in hand'))
  node.child.send('close')
  const answer = await slow
  assert.deepEqual(JSON.parse(answer.body), { state: 'stopping' })
  assert.equal(answer.headers.connection, 'close')
  assert.deepEqual(await node.exited, { code: 0, signal: null })
  assert.deepEqual(said.slice(1), ['in hand', 'closed', 'done'])
})

test('the routes for health say what lives and, by the checks of all plugins, what is ready', async (t) => {
  const app = await open(t)
  let isUp = true
  lifecycleOf(app).addReadinessCheck('redis', () => isUp || 'connect ECONNREFUSED 10.1.2.3:6379')
  const ask = async (url: string) => {
    const { statusCode, body } = await app.inject({ url })
    return [statusCode, JSON.parse(body)]
  }
  assert.deepEqual(await ask('/health/live'), [200, { status: 'live' }])
  assert.deepEqual(await ask('/health/ready'), [200, { status: 'ready' }])
  isUp = false
  assert.deepEqual(await ask('/health/live'), [200, { status: 'live' }])
  // The reason is the operator's: anybody may ask this route.
  assert.deepEqual(await ask('/health/ready'), [503, { status: 'not ready', failed: ['redis'] }])
  isUp = true
  assert.deepEqual(await ask('/health/ready'), [200, { status: 'ready' }])
})

test('health routes move with their prefix and go with health: false; the decorator has the name that it is given', async (t) => {
  const moved = await open(t, { health: { prefix: '/internal/health' } })
  assert.equal((await moved.inject({ url: '/internal/health/live' })).statusCode, 200)
  assert.equal((await moved.inject({ url: '/health/live' })).statusCode, 404)
  const off = await open(t, { health: false, decorator: 'crew' })
  assert.equal((await off.inject({ url: '/health/live' })).statusCode, 404)
  assert.equal(off.hasDecorator('cluster'), false)
  assert.equal((off as unknown as { crew: { id: number } }).crew.id, 1)
})

test("routes of the app at these paths stay the app's", async (t) => {
  const app = fastify()
  t.after(() => app.close())
  app.get('/health/live', async () => 'mine')
  await app.register(fastifyAhCluster)
  assert.equal((await app.inject({ url: '/health/live' })).body, 'mine')
  assert.equal((await app.inject({ url: '/health/ready' })).statusCode, 200)
})

for (const [options, message] of [
  [{ drainMs: -1 }, 'option "drainMs": expected a value >= 0, got -1'],
  [{ drainMs: '5s' }, 'option "drainMs": expected integer, got "5s"'],
  [{ notReadyMs: 1.5 }, 'option "notReadyMs": expected integer, got 1.5'],
  [{ health: true }, 'option "health": expected one of false, got true'],
  [
    { health: { prefix: 'health' } },
    'option "health.prefix": expected a path that begins with a "/" and does not end with one, got "health"',
  ],
  [{ helth: false }, 'unknown option "helth", did you mean "health"?'],
  [{ decorator: '' }, 'option "decorator": expected a text that is not empty, got ""'],
] as [object, string][]) {
  test(`the options ${JSON.stringify(options)} are refused with a reason`, async (t) => {
    await assert.rejects(open(t, options), (error: NodeJS.ErrnoException) => {
      assert.equal(error.code, 'AH_CLUSTER_OPTIONS')
      assert.ok(error.message.includes(message), error.message)
      return true
    })
  })
}

test('the options that were passed are not changed', async (t) => {
  const options = Object.freeze({ health: Object.freeze({ prefix: '/up' }) })
  const app = await open(t, options)
  assert.equal((await app.inject({ url: '/up/live' })).statusCode, 200)
})
