// Measures requests: how many, how long, how they ended.
import type { FastifyInstance } from 'fastify'
import { Bounded } from './bounded.ts'
import type { Instruments } from './instruments.ts'

/** How it measures. */
export interface HttpMetricsOptions {
  readonly buckets: readonly number[]
  readonly maxLabels: number
}

/** Adds hooks to the app: routes of scopes that were registered earlier are not seen. */
export function measureHttp(
  app: FastifyInstance,
  instruments: Instruments,
  { buckets, maxLabels }: HttpMetricsOptions,
): void {
  const durations = instruments.histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from a request to the end of its answer, by the pattern of its route; status "aborted": the client left.',
    labels: ['method', 'route', 'status'],
    buckets,
  })
  const open = instruments.gauge({
    name: 'http_requests_in_flight',
    help: 'Requests that are being answered.',
  })
  const routes = new Bounded(maxLabels)
  app.addHook('onRequest', (request, reply, done) => {
    open.inc()
    const startedAt = performance.now()
    let isAnswered = false
    reply.raw.once('finish', () => {
      isAnswered = true
    })
    // Comes after every answer, also one that was taken over or that its client did not wait for.
    reply.raw.once('close', () => {
      open.dec()
      const { method, routeOptions } = request
      const status = isAnswered ? `${Math.floor(reply.raw.statusCode / 100)}xx` : 'aborted'
      const route = routes.of(routeOptions.url ?? 'none')
      durations.observe({ method, route, status }, (performance.now() - startedAt) / 1000)
    })
    done()
  })
}
