// One trace, and one request id, over two processes: a request, the job that it enqueues, the message that the job publishes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as api from '@opentelemetry/api'
import fastify from 'fastify'
import fastifyAhMetrics, { requestId } from 'fastify-ah-metrics'
import { traceFastifyAh } from 'fastify-ah-metrics/opentelemetry'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhTasks from 'fastify-ah-tasks'
import { atEnd, spawnNode, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openTracing, type SeenSpan } from './open-tracing.ts'

const redis = await startRedis({}, test)
const spans: SeenSpan[] = []
openTracing((span) => void spans.push(span))

interface Told {
  readonly span?: SeenSpan
  readonly line?: Readonly<Record<string, unknown>>
  readonly ready?: true
}

/** The other process: what it logs is kept, its spans come to ours. */
async function startWorker(scope: TestScope) {
  const lines: Readonly<Record<string, unknown>>[] = []
  let isReady = false
  const child = spawnNode(new URL('programs/work.js', import.meta.url), { args: [redis.url], ipc: true }, scope)
  child.child.on('message', ({ span, line, ready }: Told) => {
    if (span !== undefined) spans.push(span)
    if (line !== undefined) lines.push(line)
    if (ready === true) isReady = true
  })
  await until(() => isReady)
  return { lines, pid: child.pid }
}

const tracer = api.trace.getTracer('the app')

async function openApp(scope: TestScope) {
  const app = fastify()
  atEnd(scope, () => app.close())
  await app.register(fastifyAhMetrics, { requestIds: true })
  // As an instrumentation of HTTP would: the request's span is the context of all that is done for it.
  app.addHook('onRequest', ({ url, id }, reply, done) => {
    const span = tracer.startSpan(url === '/unsampled' ? 'unsampled' : `request ${id}`)
    reply.raw.once('close', () => span.end())
    api.context.with(api.trace.setSpan(api.context.active(), span), done)
  })
  await app.register(fastifyAhPubsub, { redis: redis.url })
  await app.register(fastifyAhTasks, { redis: redis.url, maxTaskProcessors: 0, scheduler: false })
  app.tasks.define({ name: 'welcome', run: () => undefined })
  const heard: unknown[] = []
  await app.pubsub.subscribe('/welcomed', async (data) => {
    await Promise.resolve()
    heard.push([data, requestId(), api.trace.getSpan(api.context.active())?.spanContext().traceId])
  })
  app.post('/', async ({ body, id }) => {
    assert.equal(requestId(), id)
    return app.tasks.enqueue('welcome', body as object)
  })
  app.get('/call', async () => app.pubsub.call('who'))
  app.get('/unsampled', async () => app.tasks.enqueue('welcome', { to: 'nobody' }))
  await app.ready()
  return { app, heard }
}

const named = (name: string): SeenSpan[] => spans.filter((span) => span.name === name)

test('a trace goes from a request through enqueue, run and publish to the delivery, each in its process', async (t) => {
  atEnd(t, traceFastifyAh(api))
  const { app, heard } = await openApp(t)
  const worker = await startWorker(t)
  await app.inject({ method: 'POST', url: '/', payload: { to: 'Ada' } })
  const chain = ['request req-1', 'enqueue welcome', 'run welcome', 'publish', 'deliver']
  // A span is there when it has ended: the run's comes from the other process, perhaps behind that of the delivery.
  await until(() => heard.length === 1 && chain.every((name) => named(name).length > 0))
  const found = chain.map((name) => {
    const [span, ...more] = named(name)
    assert.ok(span !== undefined && more.length === 0, `${name}: ${JSON.stringify(spans)}`)
    return span
  })
  const [request] = found
  assert.deepEqual(
    found.map(({ traceId }) => traceId),
    chain.map(() => request!.traceId),
  )
  assert.deepEqual(
    found.map(({ parent }) => parent),
    [undefined, ...found.slice(0, -1).map(({ spanId }) => spanId)],
  )
  const here = process.pid
  assert.deepEqual(
    found.map(({ pid }) => pid),
    [here, here, worker.pid, worker.pid, here],
  )
  const { PRODUCER, CONSUMER } = api.SpanKind
  assert.deepEqual(
    found.slice(1).map(({ kind }) => kind),
    [PRODUCER, CONSUMER, PRODUCER, CONSUMER],
  )
  assert.equal(found[2]!.attributes['messaging.destination.name'], 'default')
  assert.equal(found[2]!.attributes['fastify_ah.attempt'], 1)
  assert.equal(found[4]!.attributes['messaging.destination.name'], '/welcomed')
  assert.deepEqual(heard, [[{ to: 'Ada', reqId: 'req-1' }, 'req-1', request!.traceId]])
  assert.equal(worker.lines.find(({ msg }) => msg === 'welcomed')?.['reqId'], 'req-1')

  spans.length = 0
  const { body } = await app.inject('/call')
  assert.deepEqual(JSON.parse(body), { pid: worker.pid, reqId: 'req-2' })
  await until(() => ['request req-2', 'call who', 'handle who'].every((name) => named(name).length > 0))
  const [asking, call, handle] = ['request req-2', 'call who', 'handle who'].map((name) => named(name)[0]!)
  assert.deepEqual([call!.parent, handle!.parent], [asking!.spanId, call!.spanId])
  assert.deepEqual([call!.kind, handle!.kind], [api.SpanKind.CLIENT, api.SpanKind.SERVER])
  assert.deepEqual([handle!.traceId, handle!.pid], [asking!.traceId, worker.pid])

  spans.length = 0
  await app.inject({ method: 'POST', url: '/', payload: { to: 'Bob', fails: true } })
  const [failed] = await until(() => named('run welcome').length === 1 && named('run welcome'))
  assert.equal(failed!.error, 'nobody there')

  // What is not sampled is not carried: nothing of it is in the job. What comes of it begins a trace of its own.
  spans.length = 0
  await app.inject('/unsampled')
  const [alone] = await until(() => named('run welcome').length === 1 && named('run welcome'))
  assert.equal(alone!.parent, undefined)
  assert.equal(named('enqueue welcome').length, 0)
})

test('a refused enqueue is a failed span, one without a trace begins one only if it may; after the end there are none', async (t) => {
  const { app } = await openApp(t)
  let stop = traceFastifyAh(api, { roots: false })
  spans.length = 0
  await app.tasks.enqueue('welcome', {}, { queue: 'nobody-works-it' })
  assert.deepEqual(spans, [])
  stop()
  stop = traceFastifyAh(api)
  await assert.rejects(app.tasks.enqueue('welcome', {}, { nonsense: 1 } as never))
  await assert.rejects(app.pubsub.publish('no channel', 1))
  assert.deepEqual(
    spans.map(({ name, error }) => [name, typeof error]),
    [
      ['enqueue welcome', 'string'],
      ['publish', 'string'],
    ],
  )
  stop()
  spans.length = 0
  await app.tasks.enqueue('welcome', {}, { queue: 'nobody-works-it' })
  assert.deepEqual(spans, [])
})
