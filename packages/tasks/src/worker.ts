// Works one claimed job from its bytes to its settle.
import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { toError } from 'fastify-ah-kit'
import type { DefinedTask, Definitions } from './definitions.ts'
import { AH_TASKS_CANCELLED, AH_TASKS_PAYLOAD, AH_TASKS_UNKNOWN } from './errors.ts'
import type { Hooks } from './hooks.ts'
import { Job } from './job.ts'
import type { JobEvents } from './job-events.ts'
import { NotRun } from './not-run.ts'
import { isNewerFormat, type ParsedPayload, parsePayload } from './payload.ts'
import { type Outcome, perform } from './perform.ts'
import type { Cancels } from './store/cancels.ts'
import type { Claims } from './store/claims.ts'
import type { Tracks } from './store/tracks.ts'
import type { HookedJob } from './task-hooks.ts'
import { type JobTrace, tracedRun, traces } from './traces.ts'
import { type Ending, endingOf, type Work } from './work.ts'

/** What a worker works with. */
export interface WorkerOptions {
  readonly app: FastifyInstance
  readonly definitions: Definitions
  readonly claims: Claims
  readonly cancels: Cancels
  readonly tracks: Tracks
  readonly events: JobEvents
  readonly hooks: Hooks
}

/** What a run needs. */
interface Prepared {
  readonly task: DefinedTask
  readonly job: Job
}

// How long a job of a newer release waits for a process of that release.
const newerMs = 1_000

/** Never rejects: what goes wrong is the job's failure, or, where Redis cannot be told, an event. */
export class Worker {
  readonly #options: WorkerOptions

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  async work(work: Work): Promise<void> {
    const { events } = this.#options
    let ending: Ending | undefined
    let outcome: Outcome = { kind: 'failure', error: undefined }
    try {
      // Most jobs need no wait: each would cost them a part of what they take.
      const found = this.#prepare(work)
      const prepared = found instanceof Promise ? await found : found
      if (prepared === undefined) return
      const { task, job } = prepared
      const around = this.#around(work, task)
      const run = (): Promise<Outcome> => perform(task, job, work.meta?.timeoutMs ?? task.definition.timeoutMs, around)
      outcome = traces.job.hasSubscribers ? await tracedRun(traceOf(work), run) : await run()
      if (outcome.kind === 'success' && !(outcome.result instanceof NotRun)) {
        ending = (await work.succeed(outcome.result)) ? 'success' : 'lost'
      } else {
        ending = await this.#settle(work, task, outcome)
      }
    } catch (thrown) {
      await this.#giveBack(work, toError(thrown))
      return
    }
    events.end(ending, work, outcome)
  }

  /** Redis could not be asked what is needed for a run, or not be told of its end. */
  async #giveBack(work: Work, error: Error): Promise<void> {
    const { events } = this.#options
    events.error(work, error)
    // Its end is not recorded because this process is being closed: the lease ends, and another runs the job.
    if (work.isSettling) return
    await work.release().catch((thrown) => events.error(work, toError(thrown)))
  }

  /** What is needed to run it; undefined if it was settled without a run, or is another's. */
  #prepare(work: Work): Prepared | undefined | Promise<Prepared | undefined> {
    const { text } = work.claimed
    // Bytes that are no valid text were replaced on their way here.
    if (text.includes('\ufffd')) return this.#prepareDoubtful(work)
    try {
      work.parsed = parsePayload(text)
    } catch (thrown) {
      return this.#failUnreadable(work, toError(thrown))
    }
    return this.#prepareParsed(work, work.parsed)
  }

  async #prepareDoubtful(work: Work): Promise<Prepared | undefined> {
    try {
      await this.#assertText(work)
      work.parsed = parsePayload(work.claimed.text)
    } catch (thrown) {
      return this.#failUnreadable(work, toError(thrown))
    }
    return this.#prepareParsed(work, work.parsed)
  }

  #prepareParsed(work: Work, { job, meta }: ParsedPayload): Prepared | undefined | Promise<Prepared | undefined> {
    if (meta === undefined && isNewerFormat(job['ah'])) return work.postpone(newerMs, randomUUID()).then(nothing)
    const task = this.#options.definitions.find(job.class)
    if (task?.definition.concurrency === undefined) return this.#unlessCancelled(work, task)
    // Cancelled or not: the slot that it frees calls the next one that is parked.
    return this.#takeSlot(work, task).then((isTaken) => (isTaken ? this.#unlessCancelled(work, task) : undefined))
  }

  #unlessCancelled(work: Work, task: DefinedTask | undefined): Prepared | Promise<Prepared | undefined> {
    const { cancels } = this.#options
    const { meta } = work
    if (meta !== undefined && cancels.mayMean(meta.id)) {
      return cancels.isMeant(meta.id).then((isMeant) => (isMeant ? this.#cancel(work, task) : this.#begin(work, task)))
    }
    return this.#begin(work, task)
  }

  #begin(work: Work, task: DefinedTask | undefined): Prepared | Promise<undefined> {
    if (task === undefined) return this.#failUnrun(work, new AH_TASKS_UNKNOWN(work.task, '')).then(nothing)
    const { app, tracks, events } = this.#options
    const { meta, claimed, parsed } = work
    const tracked = meta?.track === true ? meta.id : undefined
    const made = new Job({
      app: task.definition.app ?? app,
      id: meta?.id,
      attempt: work.attempt,
      queue: claimed.queue,
      args: parsed?.args ?? [],
      recovered: work.wasRecovered,
      carrier: meta?.carrier,
      task: task.definition.name,
      progress: tracked === undefined ? untracked : (value) => tracks.progress(tracked, value),
    })
    const job = work.begin(made)
    if (tracked !== undefined) tracks.noteRunning(tracked)
    events.start(work)
    return { task, job }
  }

  async #cancel(work: Work, task: DefinedTask | undefined): Promise<undefined> {
    const hooks = task && this.#options.hooks.of(task.definition)
    await hooks?.leaveQueue(hookedJobOf(work))
    await work.cancel()
    const reason = new AH_TASKS_CANCELLED(work.task)
    this.#options.events.end('cancelled', work, { kind: 'given up', reason })
  }

  async #failUnreadable(work: Work, error: Error): Promise<undefined> {
    if (!(error instanceof AH_TASKS_PAYLOAD)) throw error
    const { queue } = work.claimed
    const bytes = await this.#options.claims.bytes(work.claim)
    // Behind the mark: what stood in the queue.
    const at = bytes === undefined ? 0 : bytes.indexOf(':', bytes.indexOf(':') + 1) + 1 + Buffer.byteLength(queue)
    if (bytes !== undefined) await this.#failUnrun(work, error, bytes.subarray(at))
  }

  async #assertText(work: Work): Promise<void> {
    const bytes = await this.#options.claims.bytes(work.claim)
    if (bytes === undefined) return
    if (!Buffer.from(bytes.toString()).equals(bytes)) throw new AH_TASKS_PAYLOAD('the payload is no valid UTF-8 text')
  }

  async #failUnrun(work: Work, error: Error, payload?: Buffer): Promise<void> {
    const isOurs = await work.fail(error, payload)
    this.#options.events.end(isOurs ? 'failure' : 'lost', work, { kind: 'failure', error })
  }

  async #takeSlot(work: Work, { definition, checkInputs }: DefinedTask): Promise<boolean> {
    const { max, key } = definition.concurrency as NonNullable<typeof definition.concurrency>
    let name = definition.name
    try {
      if (key !== undefined) name += `:${String(key(checkInputs(work.parsed?.args[0])))}`
    } catch (thrown) {
      await this.#failUnrun(work, toError(thrown))
      return false
    }
    work.holdsSlot = true
    return (await this.#options.claims.takeSlot(work.claim, name, max)) === 'taken'
  }

  /** The task's hooks around its run, if it has any. */
  #around(work: Work, { definition }: DefinedTask): ((run: () => unknown) => unknown) | undefined {
    const hooks = this.#options.hooks.of(definition)
    if (hooks === undefined) return undefined
    return (run) => hooks.around(hookedJobOf(work), run)
  }

  async #settle(work: Work, task: DefinedTask, outcome: Outcome): Promise<Ending> {
    switch (outcome.kind) {
      case 'success':
        // What succeeds has gone by here: a hook said no, or later.
        return (await work.leaveOut(outcome.result as NotRun, randomUUID())) ? 'skipped' : 'lost'
      case 'failure': {
        const delay = work.nextTryMs(task)
        const isOurs = await (delay === undefined ? work.fail(outcome.error) : work.retry(delay, randomUUID()))
        return isOurs ? endingOf(outcome, delay !== undefined) : 'lost'
      }
      case 'given up': {
        const { code } = outcome.reason as { code?: string }
        if (code === 'AH_TASKS_CANCELLED') return (await work.cancel()) ? 'cancelled' : 'lost'
        if (code === 'AH_TASKS_STOPPED') return (await work.release()) ? 'released' : 'lost'
        return 'lost'
      }
    }
  }
}

function hookedJobOf({ claim, claimed, meta, parsed }: Work): HookedJob {
  return { claim, id: meta?.id, queue: claimed.queue, args: parsed?.args ?? [] }
}

function traceOf(work: Work): Omit<JobTrace, 'surround'> {
  const { task, queue, meta, attempt, parsed } = work
  return { task, queue, id: meta?.id, attempt, args: parsed?.args ?? [], carrier: meta?.carrier }
}

async function untracked(): Promise<void> {}

function nothing(): undefined {}
