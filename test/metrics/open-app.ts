// Owns apps that are measured and show it on a route.
import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import fastifyAhMetrics, { type MetricsOptions } from 'fastify-ah-metrics'
import { atEnd, type TestScope } from 'fastify-ah-test-support'
import { type Page, scrape } from './scrape.ts'

/** The route of their metrics. */
export const route = '/metrics'

/** An app that listens, closed at the end of the test. */
export async function opened(
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

export function portOf(app: FastifyInstance): number {
  return (app.server.address() as AddressInfo).port
}

export function pageOf(app: FastifyInstance): Promise<Page> {
  return scrape({ port: portOf(app) }, route)
}
