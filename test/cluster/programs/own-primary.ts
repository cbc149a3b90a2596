// A program that is the primary of a cluster: the app and the port are its arguments.
import { startCluster } from 'fastify-ah-cluster/manager'

const [app, port, pids] = process.argv.slice(2)
const cluster = await startCluster({
  app: app!,
  port: Number(port),
  pids: pids!,
  host: '127.0.0.1',
  workers: 1,
  embedded: false,
})
process.stdout.write(`serves, umask ${process.umask().toString(8)}\n`)
process.once('SIGTERM', () => void cluster.stop().then(({ isGraceful }) => process.exit(isGraceful ? 0 : 1)))
