// The Fastify plugin: checks its options, connects, decorates, works. This entry leaves Fastify's types alone, for those
// who rename the decorator.
import type { FastifyInstance } from 'fastify'
import { identity, lifecycleOf, oncePerApp } from 'fastify-ah-kit'
import { type RedisConnection, redisFor } from 'fastify-ah-kit/redis'
import fp from 'fastify-plugin'
import { checkDefinition } from './definition.ts'
import { AH_TASKS_DEFINITION, AH_TASKS_OPTIONS } from './errors.ts'
import { EventLog } from './event-log.ts'
import { makeKeys } from './keys.ts'
import { options, type ParsedTasksOptions, type TasksOptions } from './options.ts'
import { makeParts } from './parts.ts'
import { lastWordsMs } from './processor.ts'
import { noteRegistered } from './registered.ts'
import { Reminder } from './reminder.ts'
import { resolveRole } from './role.ts'
import { Runtime } from './runtime.ts'
import type { Scope } from './scope.ts'
import { tasksInFolders } from './task-folder.ts'
import { Tasks } from './tasks.ts'
import { threadsOf } from './threads.ts'

export type { Tasks } from './tasks.ts'

/** All tasks of an app by decorator, under `Symbol.for('fastify-ah.tasks')` on its root: how other plugins find them. */
export type TasksRegistry = ReadonlyMap<string, Tasks>

// More than a stop waits for its jobs: the last settles, and the word that this process is gone.
const drainSlackMs = lastWordsMs + 1_000

async function plugin(app: FastifyInstance, input: TasksOptions): Promise<void> {
  const parsed = options.parse(input)
  const { decorator, redis, embedded, durability, tasks: folders } = parsed
  const all = oncePerApp(app, 'tasks', () => new Map<string, Tasks>())
  if (app.hasDecorator(decorator) || all.has(decorator)) {
    throw new AH_TASKS_OPTIONS(
      `fastify-ah-tasks: option "decorator": "${decorator}" is taken in this app already; give these tasks another name`,
    )
  }
  const connection = await redisFor(app, { owner: 'tasks', redis, embedded })
  await warnOfEviction(app, connection)
  const parts = makeParts(app, scopeOf(app, connection, parsed), durability)
  const registered = { parts, options: { ...parsed, ...resolveRole(parsed) } }
  const runtime = new Runtime(parts, registered.options)
  const tasks = new Tasks(parts, app)
  noteRegistered(tasks, registered)
  all.set(decorator, tasks)
  // A getter, so that a definition made in a child scope knows its scope.
  const ofScope = new WeakMap<FastifyInstance, Tasks>([[app, tasks]])
  app.decorate(decorator, {
    getter(this: FastifyInstance) {
      let found = ofScope.get(this)
      if (found === undefined) {
        found = new Tasks(parts, this)
        noteRegistered(found, registered)
        ofScope.set(this, found)
      }
      return found
    },
  })
  for (const { file, definition } of folders === undefined ? [] : await tasksInFolders(folders)) {
    try {
      parts.definitions.add(checkDefinition(definition, app))
    } catch (error) {
      if (!(error instanceof AH_TASKS_DEFINITION)) throw error
      throw new AH_TASKS_DEFINITION(`${file}: ${error.message}`, { cause: error })
    }
  }
  const lifecycle = lifecycleOf(app)
  lifecycle.onDrain('tasks', (signal) => runtime.stop(signal), parsed.graceMs + drainSlackMs)
  const forget = lifecycle.onPeerDeath((death) => runtime.peerDied(death))
  app.addHook('onReady', async () => {
    parts.hooks.close(parts.definitions)
    parts.definitions.close()
    // That it cannot run is said now, not by its first job.
    if (parts.definitions.all().some(({ thread }) => thread)) await threadsOf(app).open()
    await runtime.start()
  })
  app.addHook('onClose', async () => {
    forget()
    await runtime.stop(AbortSignal.abort())
    await parts.enqueues.close()
    parts.scope.reminder.close()
    await threadsOf(app).close()
  })
}

function scopeOf(app: FastifyInstance, connection: RedisConnection, parsed: ParsedTasksOptions): Scope {
  const { bootId, host, pid } = identity()
  const { namespace, leaseMs, maxFailed = 0, trackMs } = parsed
  const own = `${bootId}.${nextRegistration()}`
  const log = app.log.child({ plugin: 'fastify-ah-tasks' })
  const keys = makeKeys({ namespace, isTagged: connection.isCluster })
  return {
    connection,
    keys,
    log,
    reminder: new Reminder({
      connection,
      keys,
      onError: (err) => log.debug({ err }, 'nobody could be reminded of waiting jobs: the next poll finds them'),
    }),
    eventLog: new EventLog(log, parsed),
    bootId: own,
    workerName: `${host}~ah:${pid}-${own}`,
    leaseMs,
    maxFailed,
    trackMs,
  }
}

const countSymbol = Symbol.for('fastify-ah.tasks.registrations')

/** Two registrations in one process, of two apps say, have claims of their own. */
function nextRegistration(): number {
  const kept = globalThis as unknown as Record<symbol, number | undefined>
  const next = (kept[countSymbol] ?? 0) + 1
  kept[countSymbol] = next
  return next
}

async function warnOfEviction(app: FastifyInstance, connection: RedisConnection): Promise<void> {
  const policy = await connection.maxmemoryPolicy()
  if (policy === undefined || policy === 'noeviction') return
  app.log.warn(
    { policy },
    'Redis evicts keys when its memory is full, jobs too: use the maxmemory-policy noeviction where a job must not vanish',
  )
}

/** The plugin; see the README for its options. */
export const fastifyAhTasks = fp(plugin, { name: 'fastify-ah-tasks', fastify: '5.x' })
export default fastifyAhTasks
// For require(), which then returns the plugin.
export { fastifyAhTasks as 'module.exports' }
