// Owns the parts of one registration, put together.
import type { FastifyInstance } from 'fastify'
import { Definitions } from './definitions.ts'
import { Enqueues } from './enqueues.ts'
import { Hooks } from './hooks.ts'
import { JobEvents } from './job-events.ts'
import type { DurabilityOptions } from './options.ts'
import type { Scope } from './scope.ts'
import { Cancels } from './store/cancels.ts'
import { FailedJobs } from './store/failed.ts'
import { PlannedJobs } from './store/planned.ts'
import { PluginLocks } from './store/plugin-locks.ts'
import { Queues } from './store/queues.ts'
import { Ticks } from './store/ticks.ts'
import { Tracks } from './store/tracks.ts'
import { Workers } from './store/workers.ts'
import { WaitSamples } from './watched.ts'

/** The parts, each with its own verbs. */
export interface Parts {
  readonly app: FastifyInstance
  readonly scope: Scope
  readonly definitions: Definitions
  readonly hooks: Hooks
  readonly enqueues: Enqueues
  readonly events: JobEvents
  readonly samples: WaitSamples
  readonly cancels: Cancels
  readonly tracks: Tracks
  readonly queues: Queues
  readonly planned: PlannedJobs
  readonly failed: FailedJobs
  readonly workers: Workers
  readonly locks: PluginLocks
  readonly ticks: Ticks
}

export function makeParts(app: FastifyInstance, scope: Scope, durability: DurabilityOptions | undefined): Parts {
  const definitions = new Definitions()
  const planned = new PlannedJobs(scope)
  const queues = new Queues(scope)
  const locks = new PluginLocks(scope)
  const hooks = new Hooks({ scope, planned, queues, locks, put: (order) => enqueues.put(order) })
  const events = new JobEvents(scope.eventLog)
  const samples = new WaitSamples()
  const enqueues = new Enqueues({ scope, definitions, hooks, durability, events, samples })
  return {
    app,
    scope,
    definitions,
    hooks,
    enqueues,
    events,
    samples,
    cancels: new Cancels(scope),
    tracks: new Tracks(scope),
    queues,
    planned,
    failed: new FailedJobs(scope),
    workers: new Workers(scope),
    locks,
    ticks: new Ticks(scope),
  }
}
