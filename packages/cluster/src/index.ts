// The worker-side plugin: exports and the augmentation of Fastify's types.
import type { Cluster } from './cluster.ts'

export type { Cluster } from './cluster.ts'
export * from './errors.ts'
export {
  default,
  type FastifyAhClusterOptions,
  fastifyAhCluster,
  fastifyAhCluster as 'module.exports',
} from './plugin.ts'
export type { ClusterStatus, WorkerState, WorkerStatus } from './types.ts'

declare module 'fastify' {
  interface FastifyInstance {
    readonly cluster: Cluster
  }
}
