// An app with every plugin, as little discreet as a logger can be; the cluster runs it.
import type { FastifyInstance } from 'fastify'
import fastifyAhCluster from 'fastify-ah-cluster'
import { callsOf, registerEverything } from '../everything.ts'

export const options = { logger: { level: 'trace' } }

export default async function app(fastify: FastifyInstance): Promise<void> {
  await fastify.register(fastifyAhCluster)
  await registerEverything(fastify, process.env['REDIS_URL']!, process.env['SERVER_TOKEN']!)
  fastify.post('/work', async () => {
    const calls = Object.entries(callsOf(fastify))
    const ended = await Promise.allSettled(calls.map(([, call]) => call()))
    for (const end of ended) if (end.status === 'rejected') fastify.log.error(end.reason)
    return ended.map(({ status }) => status)
  })
}
