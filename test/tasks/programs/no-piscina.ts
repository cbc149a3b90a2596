// An app with a task for a thread, where piscina is not installed. Arguments: the URL of Redis, the task's file.
import { register } from 'node:module'
import process from 'node:process'
import fastify from 'fastify'
import { fastifyAhTasks } from 'fastify-ah-tasks'

const hooks = `export async function resolve(specifier, context, next) {
  if (specifier === 'piscina') throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  return next(specifier, context)
}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
const [redis = '', file = ''] = process.argv.slice(2)
const app = fastify()
await app.register(fastifyAhTasks, { redis, maxTaskProcessors: 1 })
app.tasks.define({ name: 'heavy', thread: file })
try {
  await app.ready()
  process.stdout.write('ready\n')
} catch (error) {
  const { code, message } = error as Error & { code: string }
  process.stdout.write(`${code}: ${message}\n`)
}
await app.close()
