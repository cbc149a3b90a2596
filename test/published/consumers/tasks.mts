// A consumer of fastify-ah-tasks: what its types promise, and what they refuse.
import Fastify from 'fastify'
import fastifyAhTasksDefault, { fastifyAhTasks, type TasksOptions } from 'fastify-ah-tasks'
import plugin from 'fastify-ah-tasks/plugin'

declare module 'fastify-ah-tasks' {
  interface AhTasks {
    welcome: { inputs: { to: string }; result: number }
  }
}

const options: TasksOptions = { leaseMs: 5_000, namespace: 'mine' }
const app = Fastify()
await app.register(fastifyAhTasksDefault)
await app.register(fastifyAhTasks, options)
await app.register(plugin, { decorator: 'second' })
// @ts-expect-error: there is no such option
await app.register(fastifyAhTasks, { leaseSeconds: 5 })

const handle = app.tasks.define({ name: 'count', run: async (_: unknown, { attempt }) => attempt })
const result: number = await handle.run({})
await app.tasks.enqueue('welcome', { to: 'Ada' }, { track: true })
const sent: number = await app.tasks.run('welcome', { to: 'Ada' })
// @ts-expect-error: the task wants a text
await app.tasks.enqueue('welcome', { to: 1 })
// @ts-expect-error: no run
app.tasks.define({ name: 'nothing' })

export { result, sent }
