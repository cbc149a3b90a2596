// A process without a manager: what is measured, and how it is shown.
import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify, { type FastifyInstance } from 'fastify'
import fastifyAhCache from 'fastify-ah-cache'
import fastifyAhCluster from 'fastify-ah-cluster'
import { lifecycleOf } from 'fastify-ah-kit'
import fastifyAhMetrics, { type MetricsOptions } from 'fastify-ah-metrics'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhRooms from 'fastify-ah-rooms'
import fastifyAhTasks from 'fastify-ah-tasks'
import { atEnd, httpGet, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { Counter, Registry } from 'prom-client'
import { WebSocket } from 'ws'
import { type Page, scrape } from './scrape.ts'

const redis = await startRedis({}, test)
const route = '/metrics'

async function opened(
  scope: TestScope,
  options: MetricsOptions,
  build: (app: FastifyInstance) => unknown = () => undefined,
): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true })
  atEnd(scope, () => app.close())
  await app.register(fastifyAhMetrics, options)
  await build(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app
}

const portOf = (app: FastifyInstance): number => (app.server.address() as AddressInfo).port
const pageOf = (app: FastifyInstance): Promise<Page> => scrape({ port: portOf(app) })

describe('requests', () => {
  test('are counted with their time by method, pattern of the route, and kind of the answer', async (t) => {
    const app = await opened(t, { route }, (it) => {
      it.get('/hello/:name', async () => 'hello')
      it.post('/made', async (_request, reply) => reply.code(201).send({}))
      it.get('/throws', async () => {
        throw new Error('no')
      })
      it.get('/taken', (_request, reply) => {
        reply.hijack()
        reply.raw.end('taken over')
      })
    })
    for (const path of ['/hello/a', '/hello/b', '/throws', '/taken', '/nowhere', '/nowhere/else?x=1']) {
      await httpGet({ port: portOf(app) }, { path })
    }
    await app.inject({ method: 'POST', path: '/made', payload: {} })
    const page = await until(async () => {
      const found = await pageOf(app)
      return found.sum('http_request_duration_seconds_count', 'route="none"') === 2 && found
    })
    const count = (method: string, path: string, status: string) =>
      page.value(`http_request_duration_seconds_count{method="${method}",route="${path}",status="${status}"}`)
    assert.equal(count('GET', '/hello/:name', '2xx'), 2)
    assert.equal(count('POST', '/made', '2xx'), 1)
    assert.equal(count('GET', '/throws', '5xx'), 1)
    assert.equal(count('GET', '/taken', '2xx'), 1)
    assert.equal(count('GET', 'none', '4xx'), 2)
    assert.equal(page.text.includes('nowhere'), false)
    assert.ok(page.sum('http_request_duration_seconds_sum', '/hello/:name') > 0)
    assert.equal(page.value('http_requests_in_flight'), 1, 'this one')
  })

  test('that their client gives up are counted as aborted, and are not in flight any more', async (t) => {
    const app = await opened(t, { route }, (it) => {
      it.get('/slow', () => new Promise(() => undefined))
    })
    const asked = request({ port: portOf(app), path: '/slow' })
    asked.on('error', () => undefined)
    asked.end()
    await until(async () => (await pageOf(app)).value('http_requests_in_flight') === 2)
    asked.destroy()
    const page = await until(async () => {
      const found = await pageOf(app)
      return found.value('http_requests_in_flight') === 1 && found
    })
    assert.equal(page.value('http_request_duration_seconds_count{method="GET",route="/slow",status="aborted"}'), 1)
  })

  test('of more routes than a label may have are counted together', async (t) => {
    const app = await opened(t, { route, maxLabels: 3, buckets: [1] }, (it) => {
      for (let number = 0; number < 6; number += 1) it.get(`/route-${number}`, async () => number)
    })
    for (let number = 0; number < 6; number += 1) await app.inject(`/route-${number}`)
    const page = await pageOf(app)
    assert.equal(page.count('http_request_duration_seconds_count'), 4)
    assert.equal(page.sum('http_request_duration_seconds_count', 'route="other"'), 3)
    assert.deepEqual(
      [...page.text.matchAll(/http_request_duration_seconds_bucket\{le="([^"]+)",method="GET",route="\/route-0"/g)].map(
        ([, bound]) => bound,
      ),
      ['1', '+Inf'],
    )
  })
})

test('what the plugins of the app do is counted, each by its decorator', async (t) => {
  const common = { redis: redis.url }
  const app = await opened(t, { route, queueMs: 20, waitSampleMs: 60_000 }, async (it) => {
    await it.register(fastifyAhCache, { ...common, local: { max: 10 } })
    await it.register(fastifyAhPubsub, common)
    await it.register(fastifyAhTasks, { ...common, maxTaskProcessors: 1, scheduler: false })
    await it.register(fastifyAhRooms, { ...common, allowMissingOrigin: true, messagesPerSecond: 1, messageBurst: 2 })
    it.tasks.define({ name: 'fine', run: () => sleep(5) })
    it.tasks.define({ name: 'fails', run: () => Promise.reject(new Error('no')) })
  })
  await app.cache.save('a', 1)
  await app.cache.get('a')
  await app.cache.get('nothing')
  await app.cache.lock('a')
  await app.cache.getOrSet('made', { expireMs: 60_000 }, () => 1)
  const heard: unknown[] = []
  await app.pubsub.subscribe('/a', (data) => void heard.push(data))
  await app.pubsub.publish('/a', 1)
  const publishedBefore = app.pubsub.stats().published
  await app.pubsub.publish('/a', 2)
  await app.tasks.enqueue('fine')
  await app.tasks.enqueue('fails')
  await app.tasks.enqueue('fine', {}, { queue: 'later', delayMs: 60_000 })
  await app.tasks.pause('paused')
  await app.tasks.enqueue('fine', {}, 'paused')
  const socket = new WebSocket(`ws://127.0.0.1:${portOf(app)}/ah/ws`)
  atEnd(t, () => socket.terminate())
  await new Promise((resolve) => socket.once('open', resolve))
  for (let said = 0; said < 4; said += 1) socket.send('{"event":"detailsView"}')
  const foreign = new WebSocket(`ws://127.0.0.1:${portOf(app)}/ah/ws`, { origin: 'http://elsewhere' })
  await new Promise((resolve) => foreign.once('error', resolve))
  const page = await until(async () => {
    const found = await pageOf(app)
    const isDone =
      heard.length === 2 &&
      found.sum('tasks_finished_total') === 2 &&
      (found.value('tasks_queue_oldest_wait_seconds{tasks="tasks",queue="paused"}') ?? 0) > 0 &&
      found.sum('rooms_too_fast_total') === 2 &&
      found.count('event_loop_lag_seconds_bucket') > 0
    return isDone && found
  })
  assert.ok(page.sum('cache_hits_total', 'cache="cache"') >= 1)
  assert.ok(page.sum('cache_misses_total') >= 1)
  assert.equal(page.value('cache_locks_total{cache="cache"}'), 1)
  assert.equal(page.value('cache_produced_total{cache="cache"}'), 1)
  assert.ok((page.value('cache_local_entries{cache="cache"}') ?? 0) >= 0)
  assert.ok((page.value('pubsub_published_total{pubsub="pubsub"}') ?? 0) >= publishedBefore + 1)
  assert.ok((page.value('pubsub_delivered_total{pubsub="pubsub"}') ?? 0) >= 2)
  assert.equal(page.value('pubsub_gaps_total{pubsub="pubsub"}'), 0)
  assert.equal(page.value('pubsub_dropped_total{pubsub="pubsub",reason="malformed"}'), 0)
  const task = (name: string, task: string, queue: string, more = '') =>
    page.value(`tasks_${name}{tasks="tasks",task="${task}",queue="${queue}"${more}}`)
  assert.equal(task('enqueued_total', 'fine', 'default'), 1)
  assert.equal(task('enqueued_total', 'fine', 'later'), 1)
  assert.equal(task('started_total', 'fine', 'default'), 1)
  assert.equal(task('finished_total', 'fine', 'default', ',outcome="success"'), 1)
  assert.equal(task('finished_total', 'fails', 'default', ',outcome="failure"'), 1)
  assert.ok(page.sum('tasks_run_duration_seconds_sum', 'task="fine"', 'outcome="success"') >= 0.004)
  assert.equal(page.value('tasks_wait_seconds_count{tasks="tasks",queue="default"}'), 1)
  assert.equal(page.value('tasks_queue_length{tasks="tasks",queue="paused"}'), 1)
  assert.equal(page.value('tasks_queue_paused{tasks="tasks",queue="paused"}'), 1)
  assert.equal(page.value('rooms_connections{rooms="rooms"}'), 1)
  assert.equal(page.value('rooms_refused_total{rooms="rooms"}'), 1)
  for (const loop of ['heartbeat', 'doorbell', 'sign of life of this node', 'metrics queues']) {
    assert.equal(page.count('loop_stalled_seconds') > 0 && page.text.includes(`loop="${loop}"`), true, loop)
  }
  assert.equal(page.value('ready{worker="1"}'), 1)
  assert.ok(page.sum('worker_memory_bytes', 'kind="rss"') > 1e6)
  assert.ok(page.sum('worker_cpu_seconds_total') > 0)
  assert.ok(Math.abs(page.sum('worker_start_time_seconds') - Date.now() / 1000) < 600)
})

test('[1] while Redis is away the page is there, and only what Redis would have to tell is missing', async (t) => {
  const own = await startRedis({}, t)
  const app = await opened(t, { route, queueMs: 20 }, async (it) => {
    await it.register(fastifyAhTasks, { redis: own.url, maxTaskProcessors: 0, scheduler: false })
    it.tasks.define({ name: 'fine', run: () => undefined })
  })
  await app.tasks.enqueue('fine')
  const hasLength = async () => (await pageOf(app)).value('tasks_queue_length{tasks="tasks",queue="default"}') === 1
  await until(hasLength)
  await own.stop()
  const page = await until(
    async () => {
      const found = await pageOf(app)
      return found.count('tasks_queue_length') === 0 && found.value('ready{worker="1"}') === 0 && found
    },
    { deadlineMs: 15_000 },
  )
  assert.equal(page.sum('tasks_enqueued_total'), 1)
})

describe('what is shown', () => {
  test('stands on a port of its own, with the health of the process, until the app is closed', async (t) => {
    const lines: Record<string, unknown>[] = []
    const app = fastify({ logger: { level: 'info', stream: { write: (text) => void lines.push(JSON.parse(text)) } } })
    atEnd(t, () => app.close())
    await app.register(fastifyAhMetrics, { port: 0 })
    let isFit: boolean | string = true
    lifecycleOf(app).addReadinessCheck('mine', () => isFit)
    await app.ready()
    const port = Number(lines.find(({ msg }) => String(msg).startsWith('the metrics are on'))?.['port'])
    assert.ok((await scrape({ port })).names.includes('fastify_ah_http_requests_in_flight'))
    const health = async () => {
      const { status, body } = await httpGet({ port }, { path: '/health' })
      return [status, JSON.parse(body)]
    }
    assert.deepEqual(await health(), [200, { status: 'ok', failing: [] }])
    isFit = 'not today'
    assert.deepEqual(await health(), [503, { status: 'failing', failing: [{ worker: '1', checks: ['mine'] }] }])
    assert.equal((await scrape({ port })).value('ready{worker="1"}'), 0)
    assert.equal((await httpGet({ port }, { path: '/' })).status, 404)
    const posted = await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })
    assert.equal(posted.status, 405)
    // Somebody who says nothing holds up nobody's end.
    const mute = connect(port, '127.0.0.1')
    mute.on('error', () => undefined)
    await new Promise((resolve) => mute.once('connect', resolve))
    await app.close()
    await assert.rejects(scrape({ port }), /ECONNREFUSED/)
  })

  test('a port that is taken is one clear error', async (t) => {
    const taken = createServer()
    atEnd(t, () => taken.close())
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    const app = fastify()
    atEnd(t, () => app.close())
    app.register(fastifyAhMetrics, { port })
    await assert.rejects(async () => app.ready(), {
      code: 'AH_METRICS_PORT',
      message: new RegExp(`cannot be shown on 127.0.0.1:${port}: .*EADDRINUSE`),
    })
  })

  test('stands in a registry of the app beside its own metrics, and leaves it with the app', async (t) => {
    const registry = new Registry()
    new Counter({ name: 'shop_orders_total', help: 'Orders.', registers: [registry] }).inc(3)
    const app = await opened(t, { route, registry })
    const page = await pageOf(app)
    assert.match(page.text, /^shop_orders_total 3$/m)
    assert.equal(page.value('ready{worker="1"}'), 1)
    const second = fastify()
    atEnd(t, () => second.close())
    const refused = async () => second.register(fastifyAhMetrics, { registry })
    await assert.rejects(refused, { code: 'AH_METRICS_TAKEN', message: /has a metric "fastify_ah_/ })
    await app.close()
    assert.deepEqual(
      (await registry.getMetricsAsJSON()).map(({ name }) => name),
      ['shop_orders_total'],
    )
    assert.match((await pageOf(await opened(t, { route, registry }))).text, /fastify_ah_ready/)
  })

  test('a metric of the app that throws is an error of the page, and of nothing else', async (t) => {
    const registry = new Registry()
    const collect = () => {
      throw new Error('of the app')
    }
    new Counter({ name: 'broken_total', help: 'b', registers: [registry], collect })
    const app = await opened(t, { port: 0, route, registry }, (it) => it.get('/', async () => 'fine'))
    assert.equal((await httpGet({ port: portOf(app) }, { path: route })).status, 500)
    assert.equal((await httpGet({ port: portOf(app) })).body, 'fine')
  })
})

test('options that are wrong are refused with what was expected', async (t) => {
  for (const [given, message] of [
    [{ port: 65_536 }, /option "port": expected a value <= 65535, got 65536/],
    [{ route: 'metrics' }, /option "route": expected a path that begins with a "\/", got "metrics"/],
    [{ registry: {} }, /option "registry": expected a Registry of prom-client/],
    [{ buckets: [] }, /option "buckets"/],
    [{ buckets: [0.1, 0.1] }, /option "buckets"/],
    [{ buckets: [-1] }, /option "buckets.0"/],
    [{ reportms: 1 }, /unknown option "reportms", did you mean "reportMs"\?/],
  ] as const) {
    const app = fastify()
    atEnd(t, () => app.close())
    const refused = async () => app.register(fastifyAhMetrics, given as never)
    await assert.rejects(refused, { code: 'AH_METRICS_OPTIONS', message })
  }
})

test('[1] a loop that stands still fails the health of the process: /health/ready and the port say so', async (t) => {
  const app = await opened(t, { route }, async (it) => {
    await it.register(fastifyAhCluster)
    await it.register(fastifyAhTasks, {
      redis: redis.url,
      namespace: 'stalled',
      maxTaskProcessors: 1,
      scheduler: false,
    })
  })
  const ready = async () => (await httpGet({ port: portOf(app) }, { path: '/health/ready' })).status
  assert.equal(await ready(), 200)
  // Every answer of Redis is held back by a function of its loop: the heartbeat's step does not end.
  const now = performance.now.bind(performance)
  let ahead = 0
  t.mock.method(performance, 'now', () => now() + ahead)
  await redis.pause()
  atEnd(t, () => redis.resume())
  await until(async () => (await pageOf(app)).sum('loop_stalled_seconds') > 0)
  ahead = 60_000
  const { status, body } = await httpGet({ port: portOf(app) }, { path: '/health/ready' })
  assert.equal(status, 503)
  assert.ok((JSON.parse(body) as { failed: string[] }).failed.includes('loops'), body)
  ahead = 0
  redis.resume()
  await until(async () => (await ready()) === 200, { deadlineMs: 15_000 })
})
