// Owns the two apps of a row, each with all plugins: what one asks for, the other sees.
import calculateSlot from 'cluster-key-slot'
import fastify, { type FastifyInstance } from 'fastify'
import { fastifyAhCache } from 'fastify-ah-cache'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'
import { fastifyAhRooms } from 'fastify-ah-rooms'
import { fastifyAhStats } from 'fastify-ah-stats'
import { fastifyAhTasks, type Tasks, type TasksOptions } from 'fastify-ah-tasks'
import { atEnd, SLOTS, type TestScope } from 'fastify-ah-test-support'
import type { Place } from './places.ts'

/** The apps that a probe works with; `b` works the jobs. */
export interface Pair {
  readonly a: FastifyInstance
  readonly b: FastifyInstance
  /** Whether Redis has replicas, so that tasks ask for one in an acknowledgement. */
  readonly hasReplicas: boolean
}

/** Registrations of the tasks, each with keys of its own. */
export type Queues = 'idle' | 'busy' | 'plain' | 'later'

/** The rooms that there are. */
export const rooms = ['one', 'two', 'three', 'four'] as const

/** All leases: outages at full scale are longer. */
const leaseMs = 6_000

/** Opens both, without booting them: the probes add their handlers and tasks first. */
export async function openPair(place: Place, scope: TestScope): Promise<Pair> {
  const [a, b] = [await openApp(place, false, scope), await openApp(place, true, scope)]
  return { a, b, hasReplicas: place.topology !== 'one server' }
}

/** The tasks of one of these registrations. */
export function tasksOf(app: FastifyInstance, queues: Queues): Tasks {
  return Reflect.get(app, queues) as Tasks
}

async function openApp({ redis, topology }: Place, isWorker: boolean, scope: TestScope): Promise<FastifyInstance> {
  const level = process.env['AH_OUTAGE_LOG']
  // Of all that outages make the plugins say, whoever looks for a fault may want to read.
  const app =
    level === undefined ? fastify() : fastify({ logger: { level, name: isWorker ? 'b' : 'a', stream: process.stderr } })
  atEnd(scope, () => app.close())
  await app.register(fastifyAhCache, { redis })
  await app.register(fastifyAhStats, { redis, writeMs: 100 })
  await app.register(fastifyAhPubsub, { redis, leaseMs, probeMs: 200, callTimeoutMs: 1_500 })
  await app.register(fastifyAhRooms, { redis, leaseMs, startingRooms: [...rooms], messagesPerSecond: 1_000 })
  const durable: TasksOptions = topology === 'one server' ? {} : { durability: { replicas: 1, timeoutMs: 300 } }
  const register = (decorator: Queues, processors: number, options: TasksOptions = {}) =>
    app.register(fastifyAhTasks, {
      redis,
      decorator,
      namespace: onFirstMaster(decorator),
      leaseMs,
      graceMs: 2_000,
      scheduler: false,
      minTaskProcessors: isWorker ? processors : 0,
      maxTaskProcessors: isWorker ? processors : 0,
      ...options,
    })
  await register('idle', 1, durable)
  await register('busy', 4, durable)
  await register('plain', 2)
  await register('later', 2, { ...durable, scheduler: true })
  return app
}

/** A namespace whose keys lie, in a Cluster, on the first master: the one that is broken. */
function onFirstMaster(name: string): string {
  for (let i = 0; ; i += 1) if (calculateSlot(`{${name}${i}}`) < Math.floor(SLOTS / 3)) return `${name}${i}`
}
