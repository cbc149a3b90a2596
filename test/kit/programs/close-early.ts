// Owns a process that opens connections to a Cluster (argv: its nodes as JSON) and closes each a little later than the last
// one, until some were met in every state; then it has nothing left to do.
import { setImmediate as turn } from 'node:timers/promises'
import Fastify from 'fastify'
import { redisFor } from 'fastify-ah-kit/redis'

const cluster = JSON.parse(process.argv[2] ?? '[]') as { host: string; port: number }[]
const app = Fastify()
const connection = await redisFor(app, { owner: 'test', redis: { cluster } })
const states = new Map<string, number>()
// While it looks at the state of the cluster, which is a few turns of the event loop: early, and when the answer is near.
for (let more = 0; (states.get('connect') ?? 0) < 40; more = (more + 1) % 6) {
  const dedicated = connection.dedicated('blocking')
  while (dedicated.client.status === 'connecting') await turn()
  for (let i = 0; i < more && dedicated.client.status === 'connect'; i += 1) await turn()
  const { status } = dedicated.client
  states.set(status, (states.get(status) ?? 0) + 1)
  await dedicated.close()
}
await app.close()
console.log('closed, some of them while they looked at the cluster')
