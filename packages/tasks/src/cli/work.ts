// Works the queues until a signal: an app file, or a folder of tasks.
import { once } from 'node:events'
import { resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyServerOptions } from 'fastify'
import { foundInApp } from 'fastify-ah-kit'
import type { RedisOption } from 'fastify-ah-kit/redis'
import { AH_TASKS_USAGE } from '../errors.ts'
import { fastifyAhTasks } from '../plugin.ts'
import { type CommandLine, numberOf } from './command-line.ts'
import { setForApp } from './environment.ts'

const signals = ['SIGINT', 'SIGTERM'] as const

/** What an app file exports. */
interface AppFile {
  readonly plugin: FastifyPluginAsync
  readonly options: FastifyServerOptions
}

/** Ends when the drain is over: what runs is waited for, the rest is given back. */
export async function work(line: CommandLine, redis: RedisOption | undefined): Promise<void> {
  const [file] = line.operands
  const { tasks: folder } = line.flags
  if ((file === undefined) === (folder === undefined)) {
    throw new AH_TASKS_USAGE('work needs an app file, or --tasks with a folder')
  }
  const stopping = new AbortController()
  const stop = (): void => stopping.abort()
  // From the beginning, so that none comes too early; a second one changes nothing, the drain ends by itself.
  for (const name of signals) process.on(name, stop)
  let app: FastifyInstance | undefined
  try {
    if (file === undefined) {
      app = Fastify({ logger: true })
      await registerFolder(app, line, redis)
    } else {
      const found = await appIn(resolve(file), line)
      app = Fastify({ logger: true, ...found.options })
      await registerFile(app, file, found)
    }
    await app.ready()
    process.stdout.write('works until SIGINT or SIGTERM\n')
    if (!stopping.signal.aborted) await once(stopping.signal, 'abort')
  } finally {
    // Also of an app that did not become ready: what it has opened would keep the process.
    await app?.close()
    for (const name of signals) process.off(name, stop)
  }
}

async function registerFolder(
  app: FastifyInstance,
  { flags }: CommandLine,
  redis: RedisOption | undefined,
): Promise<void> {
  const { tasks = '', queues, max, namespace } = flags
  await app.register(fastifyAhTasks, {
    tasks,
    scheduler: true,
    maxTaskProcessors: numberOf('--max', max, 10),
    ...(redis !== undefined && { redis }),
    ...(queues !== undefined && { queues: queues.split(',') }),
    ...(namespace !== undefined && { namespace }),
  })
}

async function registerFile(app: FastifyInstance, file: string, { plugin, options }: AppFile): Promise<void> {
  await app.register(plugin, options)
  app.addHook('onReady', async () => {
    if (foundInApp(app, 'tasks') === undefined)
      throw new AH_TASKS_USAGE(`${file} does not register fastify-ah-tasks: there is nothing to work`)
  })
}

/** The app says itself which Redis, queues and namespace; what it leaves unset follows the environment. */
async function appIn(file: string, { flags }: CommandLine): Promise<AppFile> {
  const { redis, queues, namespace, max } = flags
  for (const [name, value] of Object.entries({ queues, namespace })) {
    if (value !== undefined) throw new AH_TASKS_USAGE(`--${name} goes with --tasks: an app file says that itself`)
  }
  setForApp({
    ...(redis !== undefined && { REDIS_URL: redis }),
    ACTIONHERO_ROLE: 'worker',
    ...(max !== undefined && { MAX_TASK_PROCESSORS: String(numberOf('--max', max, 0)) }),
  })
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>
  const inner = (module['default'] ?? {}) as { default?: unknown; options?: unknown }
  const plugin = typeof module['default'] === 'function' ? module['default'] : inner.default
  if (typeof plugin !== 'function')
    throw new AH_TASKS_USAGE(
      `${file} has no default export that is a plugin: export default async function app(fastify) { … }`,
    )
  const options = (module['options'] ?? inner.options ?? {}) as FastifyServerOptions
  return { plugin: plugin as FastifyPluginAsync, options }
}
