// Contender: node:cluster as its documentation shows it, in its fastest policy: `node cluster-bare.js <workers> <port>`.
import cluster from 'node:cluster'
import Fastify from 'fastify'
import hello, { options } from './cluster-app.js'

const [workers, port] = process.argv.slice(2).map(Number)

if (cluster.isPrimary) {
  cluster.schedulingPolicy = cluster.SCHED_NONE
  for (let worker = 0; worker < workers; worker += 1) cluster.fork()
  cluster.on('exit', (worker) => {
    if (!worker.exitedAfterDisconnect) cluster.fork()
  })
  // A primary that just died would leave its workers to find that out by themselves.
  process.once('SIGTERM', () => cluster.disconnect(() => process.exit(0)))
} else {
  const app = Fastify(options)
  await app.register(hello)
  await app.listen({ port, host: '127.0.0.1' })
  process.once('SIGTERM', () => app.close())
}
