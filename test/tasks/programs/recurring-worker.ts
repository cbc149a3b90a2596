// A process that works recurring tasks, and dies of the first one.
import process from 'node:process'
import fastify from 'fastify'
import { fastifyAhTasks, type JobContext } from 'fastify-ah-tasks'
import { recurring } from '../recurring.ts'

const [url = '', options = '{}'] = process.argv.slice(2)
const app = fastify({ logger: { level: 'warn' } })
await app.register(fastifyAhTasks, { redis: url, leaseMs: 600, pollMs: 200, graceMs: 500, ...JSON.parse(options) })
const run = ({ id }: JobContext): Promise<void> => {
  process.send?.({ ran: id })
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => undefined)
}
for (const task of recurring) app.tasks.define({ ...task, run: (_: unknown, context: JobContext) => run(context) })
await app.ready()
process.send?.({ ready: true })
