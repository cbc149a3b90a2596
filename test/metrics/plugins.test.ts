// What the plugins of an app do is measured, and whether their loops go on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fastifyAhCache from 'fastify-ah-cache'
import fastifyAhCluster from 'fastify-ah-cluster'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhRooms from 'fastify-ah-rooms'
import fastifyAhTasks from 'fastify-ah-tasks'
import { atEnd, httpGet, startRedis, until } from 'fastify-ah-test-support'
import { WebSocket } from 'ws'
import { opened, pageOf, portOf, route } from './open-app.ts'

const redis = await startRedis({}, test)

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
