// A process without a manager: what is measured, and how it is shown.
import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import { lifecycleOf } from 'fastify-ah-kit'
import fastifyAhMetrics from 'fastify-ah-metrics'
import { atEnd, httpGet, until } from 'fastify-ah-test-support'
import { Counter, Registry } from 'prom-client'
import { opened, pageOf, portOf, route } from './open-app.ts'
import { scrape } from './scrape.ts'

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
