// A consumer of fastify-ah-cluster: what its types promise, and what they refuse.
import Fastify from 'fastify'
import fastifyAhClusterDefault, {
  type ClusterStatus,
  type FastifyAhClusterOptions,
  fastifyAhCluster,
} from 'fastify-ah-cluster'
import { run } from 'fastify-ah-cluster/cli'
import plugin from 'fastify-ah-cluster/plugin'

const options: FastifyAhClusterOptions = { drainMs: 5_000, health: { prefix: '/state' } }
const app = Fastify()
await app.register(fastifyAhClusterDefault)
await app.register(fastifyAhCluster, options)
await app.register(plugin, { health: false })
// @ts-expect-error: there is no such option
await app.register(fastifyAhCluster, { drainSeconds: 5 })

const status: ClusterStatus = await app.cluster.status()
const pids: number[] = status.workers.map(({ pid }) => pid)
const role: string | undefined = app.cluster.role
// @ts-expect-error: what the cluster says of itself is not to be written
app.cluster.id = 3
const start: (args?: readonly string[]) => Promise<void> = run

export { pids, role, start }
