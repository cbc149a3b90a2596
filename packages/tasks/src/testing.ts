// For tests of apps: what was enqueued, and a run of all queues in this process, on the very engine of production.
import { setTimeout as sleep } from 'node:timers/promises'
import { literal, scan } from 'fastify-ah-kit/redis'
import { AH_TASKS_OPTIONS } from './errors.ts'
import type { JobEvent, JobEventName } from './job-events.ts'
import { type Registered, registeredOf } from './registered.ts'
import { Runtime } from './runtime.ts'
import type { Tasks } from './tasks.ts'
import type { QueuedJob } from './types.ts'

/** A job that waits, or is planned. */
export interface EnqueuedJob {
  readonly task: string
  readonly queue: string
  readonly inputs: unknown
  readonly args: readonly unknown[]
  /** Of jobs that have one. */
  readonly id?: string
  /** Of a planned job: its second, in ms since 1970. */
  readonly at?: number
}

/** How a run ended. */
export interface RanJob {
  readonly task: string
  readonly queue: string
  readonly inputs: unknown
  readonly attempt: number
  readonly ending: Exclude<JobEventName, 'enqueue' | 'start'>
  readonly result?: unknown
  readonly error?: Error
}

const endings = ['success', 'failure', 'retry', 'skipped', 'cancelled', 'released', 'lost'] as const

/** All jobs that wait, by queue and in their order, then those that are planned, by their time. */
export async function enqueuedJobs(tasks: Tasks): Promise<EnqueuedJob[]> {
  const found: EnqueuedJob[] = []
  for (const queue of await tasks.queues()) found.push(...(await tasks.queued(queue)).map((job) => jobOf(job)))
  for (const [at, jobs] of Object.entries(await tasks.allDelayed())) {
    found.push(...jobs.map((job) => jobOf(job, Number(at))))
  }
  return found
}

/**
 * Runs what waits, one job after the other, and what these enqueue, until no queue has anything; answers how each ended,
 * in order. Retries and other planned jobs stay planned. Rejects with `AH_TASKS_OPTIONS` if the app itself works, and after
 * `timeoutMs` (default 10 s) with what still waits.
 */
export async function runQueues(
  tasks: Tasks,
  { timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {},
): Promise<RanJob[]> {
  const registered = idle('runQueues', tasks)
  const ran: RanJob[] = []
  const forget = endings.map((ending) => tasks.on(ending, (event) => ran.push(ranJob(ending, event))))
  const one = { minTaskProcessors: 1, maxTaskProcessors: 1, scheduler: false, graceMs: 0 }
  const runtime = new Runtime(registered.parts, { ...registered.options, ...one })
  await runtime.start()
  try {
    const deadline = performance.now() + timeoutMs
    while (!(await isIdle(registered))) {
      if (performance.now() > deadline) {
        const left = (await enqueuedJobs(tasks)).filter(({ at }) => at === undefined).map(({ task }) => task)
        throw new Error(
          `the queues are not empty after ${timeoutMs} ms; waiting: ${left.join(', ') || 'a job that runs'}`,
        )
      }
      await sleep(2)
    }
  } finally {
    await runtime.stop(AbortSignal.abort())
    for (const stop of forget) stop()
  }
  return ran
}

// All keys that a job leaves, below the namespace.
const ofJobs =
  /^(?:queues$|queue:|delayed|timestamps:|failed$|(?:workers)?lock:|ah:(?:wake|returned|suspects|recovered|scheduled|slots|parked|limits|cancelled|track|dedupe))/

/**
 * Removes what waits, what is planned, what failed, and all that keeps the next test from enqueuing the same: locks,
 * dedupe keys, outcomes of tracked jobs.
 */
export async function clearQueues(tasks: Tasks): Promise<void> {
  const { connection, keys } = idle('clearQueues', tasks).parts.scope
  for await (const page of scan(connection, { match: `${literal(keys.root)}*` })) {
    const doomed = page.filter((key) => ofJobs.test(key.slice(keys.root.length)))
    if (doomed.length > 0) await connection.write('UNLINK', doomed)
  }
}

/** What stands behind the tasks of an app that works nothing by itself. */
function idle(caller: string, tasks: Tasks): Registered {
  const registered = registeredOf(tasks)
  if (registered !== undefined && registered.options.maxTaskProcessors === 0) return registered
  throw new AH_TASKS_OPTIONS(
    `${caller}: register the tasks with maxTaskProcessors: 0, so that nobody but the test works`,
  )
}

/** Nothing waits and nothing is claimed; looked at twice, since a job that ends may have enqueued another. */
async function isIdle({ parts }: Registered): Promise<boolean> {
  if ((await waiting(parts)) > 0 || (await claimed(parts)) > 0) return false
  return (await waiting(parts)) === 0
}

async function waiting({ queues }: Registered['parts']): Promise<number> {
  const lengths = await Promise.all(
    Object.values(await queues.details()).map(({ length, paused }) => (paused ? 0 : length)),
  )
  return lengths.reduce((sum, length) => sum + length, 0)
}

async function claimed({ scope: { connection, keys, bootId } }: Registered['parts']): Promise<number> {
  const fields = await connection.read<string[]>('HKEYS', [keys.claims(bootId)])
  return fields.filter((field) => /^\d+$/.test(field)).length
}

function jobOf({ class: task, queue, args, ...more }: QueuedJob, at?: number): EnqueuedJob {
  const { id } = (more['ah'] ?? {}) as { id?: string }
  return { task, queue, inputs: args[0], args, ...(id !== undefined && { id }), ...(at !== undefined && { at }) }
}

function ranJob(ending: RanJob['ending'], { task, queue, args, attempt, ...event }: JobEvent): RanJob {
  const { result, error } = event
  return {
    task,
    queue,
    inputs: args[0],
    attempt,
    ending,
    ...(ending === 'success' && { result }),
    ...(error !== undefined && { error }),
  }
}
