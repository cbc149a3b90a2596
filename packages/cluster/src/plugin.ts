// The Fastify plugin, without the augmentation of Fastify's types (for those who rename the decorator).
import type { FastifyInstance } from 'fastify'
import { oncePerApp } from 'fastify-ah-kit'
import fp from 'fastify-plugin'
import { Cluster } from './cluster.ts'
import { drainOf } from './drain.ts'
import { addHealthRoutes } from './health.ts'
import { pluginOptions } from './options.ts'

/** What the plugin is registered with. Durations are ms. */
export interface FastifyAhClusterOptions {
  /** Name of the decorator; default `cluster`. */
  decorator?: string
  /** Routes `<prefix>/live` and `<prefix>/ready`; default `{ prefix: '/health' }`, `false` adds none. */
  health?: false | { prefix?: string }
  /** How long open connections may go on after a stop; default 5000. */
  drainMs?: number
  /** How long `/health/ready` says no before connections are refused; default 0. */
  notReadyMs?: number
}

async function clusterPlugin(app: FastifyInstance, given: FastifyAhClusterOptions): Promise<void> {
  const { decorator, health, drainMs, notReadyMs } = pluginOptions.parse(given)
  drainOf(app).configure({ drainMs, notReadyMs })
  const cluster = oncePerApp(app, 'cluster', () => new Cluster(app))
  app.decorate(decorator, { getter: () => cluster })
  if (health !== false) addHealthRoutes(app, health.prefix)
}

/** Decorates the app with `cluster` and adds the health routes. */
export const fastifyAhCluster = fp(clusterPlugin, { name: 'fastify-ah-cluster', fastify: '5.x' })

export default fastifyAhCluster
export { fastifyAhCluster as 'module.exports' }
