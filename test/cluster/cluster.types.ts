// The types that users see, checked by the build.
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fastifyAhCluster, {
  type Cluster,
  type ClusterStatus,
  type FastifyAhClusterOptions,
  type WorkerState,
} from 'fastify-ah-cluster'

export const plugin: FastifyPluginAsync<FastifyAhClusterOptions> = fastifyAhCluster

export async function uses(app: FastifyInstance): Promise<string> {
  await app.register(fastifyAhCluster, { health: { prefix: '/up' }, drainMs: 1, notReadyMs: 0, decorator: 'cluster' })
  await app.register(fastifyAhCluster, { health: false })
  // @ts-expect-error true is the default, written as nothing
  await app.register(fastifyAhCluster, { health: true })
  // @ts-expect-error durations are numbers
  await app.register(fastifyAhCluster, { drainMs: '5s' })
  const cluster: Cluster = app.cluster
  const status: ClusterStatus = await cluster.status()
  const state: WorkerState = status.workers[0]!.state
  // @ts-expect-error nobody changes another's status
  status.workers[0].state = 'exited'
  return `${cluster.id} ${cluster.title} ${cluster.role ?? ''} ${cluster.generation} ${cluster.isWorker} ${state}`
}
