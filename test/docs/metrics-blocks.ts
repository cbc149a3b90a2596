// Drives what the page of the metrics shows.
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import fastifyAhMetrics, { requestId } from 'fastify-ah-metrics'
import { atEnd } from 'fastify-ah-test-support'
import type { Counter, Registry } from 'prom-client'
import type { Driver } from './driver.ts'
import { Workplace } from './workplace.ts'

const page = 'packages/metrics/README.md'

export const metricsBlocks: readonly Driver[] = [
  {
    page,
    shows: 'collectDefaultMetrics',
    async run(t, code = '') {
      const app = Fastify()
      atEnd(t, () => app.close())
      const { registry, orders } = await new Workplace(t).runPart(code, { app, fastifyAhMetrics }, [
        'registry',
        'orders',
      ])
      await app.ready()
      ;(orders as Counter).inc()
      const text = await (registry as Registry).metrics()
      for (const line of [
        /^shop_orders_total 1$/m,
        /^nodejs_heap_size_used_bytes /m,
        /^fastify_ah_http_requests_in_flight 0$/m,
      ]) {
        assert.match(text, line)
      }
    },
  },
  {
    page,
    shows: 'traceFastifyAh(api)',
    async run(t, code = '') {
      const { stop } = await new Workplace(t).runPart(code, {}, ['stop'])
      assert.equal(typeof stop, 'function')
      ;(stop as () => void)()
    },
  },
  {
    page,
    shows: 'mixin:',
    async run(t, code = '') {
      const lines: Record<string, unknown>[] = []
      const stream = { write: (text: string) => void lines.push(JSON.parse(text)) }
      const silent = (options: { logger: object }) => Fastify({ logger: { ...options.logger, level: 'info', stream } })
      const { app } = (await new Workplace(t).runPart(code, { Fastify: silent }, ['app'])) as {
        app: ReturnType<typeof silent>
      }
      atEnd(t, () => app.close())
      await app.register(fastifyAhMetrics, { requestIds: true })
      app.get('/', async ({ id, log }) => {
        log.info('in the request')
        assert.equal(requestId(), id)
        return {}
      })
      await app.inject('/')
      assert.equal(lines.find(({ msg }) => msg === 'in the request')?.['origin'], 'req-1')
    },
  },
]
