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
      const prepared = await this.#prepare(work)
      if (prepared === undefined) return
      const { task, job } = prepared
      outcome = await perform(task, job, work.meta?.timeoutMs ?? task.definition.timeoutMs, this.#around(work, task))
      ending = await this.#settle(work, task, outcome)
    } catch (thrown) {
      // The process is being closed, and Redis did not hear of it: the lease ends, and another runs the job.
      events.error(work, toError(thrown))
      return
    }
    events.end(ending, work, outcome)
  }

  /** What is needed to run it; undefined if it was settled without a run, or is another's. */
  async #prepare(work: Work): Promise<{ task: DefinedTask; job: Job } | undefined> {
    const { definitions, cancels, app, tracks, events } = this.#options
    const parsed = await this.#read(work)
    if (parsed === undefined) return undefined
    work.parsed = parsed
    const { job: payload, args, meta } = parsed
    if (meta === undefined && isNewerFormat(payload['ah'])) {
      await work.postpone(newerMs, randomUUID())
      return undefined
    }
    if (meta !== undefined && cancels.has(meta.id)) {
      await work.cancel()
      events.end('cancelled', work, { kind: 'given up', reason: new AH_TASKS_CANCELLED(payload.class) })
      return undefined
    }
    const task = definitions.find(payload.class)
    if (task === undefined) {
      await this.#failUnrun(work, new AH_TASKS_UNKNOWN(payload.class, ''))
      return undefined
    }
    if (task.definition.concurrency !== undefined && !(await this.#takeSlot(work, task))) return undefined
    const { queue } = work.claimed
    const scope = task.definition.app ?? app
    const isTracked = meta?.track === true
    const made = new Job({
      app: scope,
      id: meta?.id,
      attempt: work.attempt,
      queue,
      args,
      recovered: work.wasRecovered,
      task: payload.class,
      progress: isTracked ? (value) => tracks.progress(meta.id, value) : untracked,
    })
    const job = work.begin(made)
    if (isTracked) tracks.noteRunning(meta.id)
    events.start(work)
    return { task, job }
  }

  async #read(work: Work): Promise<ParsedPayload | undefined> {
    const { text, queue, claim } = work.claimed
    try {
      // Bytes that are no valid text were replaced on their way here.
      if (text.includes('\ufffd')) await this.#assertText(work)
      return parsePayload(text)
    } catch (thrown) {
      const error = toError(thrown)
      if (!(error instanceof AH_TASKS_PAYLOAD)) throw error
      const bytes = await this.#options.claims.bytes(claim)
      // Behind the mark: what stood in the queue.
      const at = bytes === undefined ? 0 : bytes.indexOf(':', bytes.indexOf(':') + 1) + 1 + Buffer.byteLength(queue)
      if (bytes !== undefined) await this.#failUnrun(work, error, bytes.subarray(at))
      return undefined
    }
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
    const { queue } = work.claimed
    const job = { claim: work.claim, id: work.meta?.id, queue, args: work.parsed?.args ?? [] }
    return (run) => hooks.around(job, run)
  }

  async #settle(work: Work, task: DefinedTask, outcome: Outcome): Promise<Ending> {
    switch (outcome.kind) {
      case 'success':
        if (outcome.result instanceof NotRun)
          return (await work.leaveOut(outcome.result, randomUUID())) ? 'skipped' : 'lost'
        return (await work.succeed(outcome.result)) ? 'success' : 'lost'
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

async function untracked(): Promise<void> {}
