// Owns apps with tasks, as the tests open them.
import fastify, { type FastifyInstance } from 'fastify'
import {
  fastifyAhTasks,
  type TaskDefinition,
  type TaskMiddleware,
  type Tasks,
  type TasksOptions,
  type WithWork,
} from 'fastify-ah-tasks'
import { atEnd, type TestScope } from 'fastify-ah-test-support'

/** A task as the tests define it. */
export type AnyTask = TaskDefinition<never, unknown, never>

/** What a test's app has beside its options. */
export interface OpenOptions extends TasksOptions {
  readonly define?: readonly AnyTask[]
  readonly middleware?: readonly TaskMiddleware[]
}

/** Quick where a test would have to wait, and quiet: it neither works nor schedules unless it says so. */
const defaults: TasksOptions = { scheduler: false, maxTaskProcessors: 0, leaseMs: 1_500, pollMs: 200, graceMs: 1_000 }

/** A ready app with the plugin, closed at the end of the test. */
export async function openApp(
  { define = [], middleware = [], ...options }: OpenOptions,
  scope: TestScope,
): Promise<FastifyInstance> {
  const app = fastify()
  atEnd(scope, () => app.close())
  await app.register(fastifyAhTasks, { ...defaults, ...options })
  for (const one of middleware) app.tasks.addMiddleware(one)
  for (const task of define) app.tasks.define(task as unknown as TaskDefinition & WithWork)
  await app.ready()
  return app
}

/** The tasks of such an app. */
export async function openTasks(options: OpenOptions, scope: TestScope): Promise<Tasks> {
  return (await openApp(options, scope)).tasks
}
