// Owns this process's part in working the queues: claims jobs, runs them, keeps its lease, recovers those of the dead.
import type { FastifyInstance } from 'fastify'
import { type PeerDeath, toError, within } from 'fastify-ah-kit'
import type { Definitions } from './definitions.ts'
import { Doorbell } from './doorbell.ts'
import { AH_TASKS_CANCELLED, AH_TASKS_STOPPED } from './errors.ts'
import { Fetch } from './fetch.ts'
import { Heartbeat } from './heartbeat.ts'
import type { Hooks } from './hooks.ts'
import type { JobEvents } from './job-events.ts'
import type { Mail } from './mail.ts'
import { Recover } from './recover.ts'
import type { Scope } from './scope.ts'
import type { Cancels } from './store/cancels.ts'
import type { ClaimedJob } from './store/claims.ts'
import { Claims } from './store/claims.ts'
import { Ended } from './store/ended.ts'
import { Processors } from './store/processors.ts'
import type { Tracks } from './store/tracks.ts'
import { Work, type WorkPlace } from './work.ts'
import { WorkQueues } from './work-queues.ts'
import { Worker } from './worker.ts'
import { type PoolSize, WorkerPool } from './worker-pool.ts'

/** What a processor is made of. */
export interface ProcessorOptions {
  readonly app: FastifyInstance
  readonly scope: Scope
  readonly definitions: Definitions
  readonly events: JobEvents
  readonly cancels: Cancels
  readonly tracks: Tracks
  readonly hooks: Hooks
  readonly queues: readonly string[]
  readonly size: PoolSize
  readonly pollMs: number
  readonly graceMs: number
}

/** How long a stop may take beyond its grace, in ms: the last settles, and its word that it is gone. */
export const lastWordsMs = 7_000
// How long of that the settles are tried again.
const settleMs = 3_000
// How long it may take to be handed no more jobs.
const withdrawMs = 1_000
// Most queues that are looked after when jobs were left behind; a longer list is the polls' of others.
const mostReminded = 32

export class Processor {
  readonly #options: ProcessorOptions
  readonly #pool: WorkerPool
  readonly #worker: Worker
  readonly #fetch: Fetch
  readonly #doorbell: Doorbell
  readonly #heartbeat: Heartbeat
  readonly #recover: Recover
  readonly #processors: Processors
  readonly #place: WorkPlace

  constructor(options: ProcessorOptions, mail: Mail) {
    this.#options = options
    const { app, scope, definitions, events, cancels, tracks, hooks, size, pollMs } = options
    const queues = new WorkQueues(options.queues)
    const claims = new Claims(scope)
    const onError = reporter(scope)
    const { leaseMs, workerName } = scope
    this.#pool = new WorkerPool(size)
    this.#worker = new Worker({ app, definitions, claims, cancels, tracks, events, hooks })
    this.#processors = new Processors(scope, queues.title)
    this.#fetch = new Fetch({
      claims,
      queues,
      room: () => this.#pool.room,
      hasSuspect: () => this.#pool.hasSuspect,
      isDeaf: () => this.#doorbell.isDeaf,
      isFresh: () => this.#heartbeat.isFresh,
      // Not beside other jobs: one that computes would keep the next waiting while others are idle.
      isIdle: () => this.#pool.isIdle && !this.#pool.isClosed,
      onLeft: (names) => {
        if (names.length <= mostReminded) scope.reminder.noteQueues(names)
      },
      start: (jobs) => this.#start(jobs),
      onError: onError('fetch'),
    })
    this.#doorbell = new Doorbell(scope, {
      queues,
      pollMs,
      isHungry: () => this.#fetch.isShort && this.#pool.room > 0,
      onJobs: (isNewQueue) => this.#fetch.ask(isNewQueue),
      onMail: mail.deliver,
      onError: onError('doorbell'),
    })
    this.#heartbeat = new Heartbeat({
      processors: this.#processors,
      cancels,
      leaseMs,
      workerName,
      running: () => this.#pool.running,
      onClaims: (known) => this.#compare(known, claims.seen),
      onError: onError('heartbeat'),
    })
    this.#recover = new Recover({
      ended: new Ended(scope),
      bootIds: () => scope.connection.read<string[]>('ZRANGE', [scope.keys.processors, 0, -1]),
      everyMs: leaseMs / 3,
      workerName,
      onRecovered: (bootId, count) => this.#recovered(bootId, count),
      onError: onError('recover'),
    })
    this.#place = {
      workerName,
      send: (work, settle) => {
        // Its room is another's in the very exchange that settles it.
        this.#pool.remove(work)
        return this.#fetch.settle(settle)
      },
    }
    mail.onCancel((id) => this.#cancel(id))
    mail.onJob((claim, marked) => this.#fetch.receive(claim, marked))
  }

  /** The jobs that run here. */
  get running(): number {
    return this.#pool.running.length
  }

  start(): void {
    const { workerName, eventLog } = this.#options.scope
    eventLog.write('worker.start', () => ({ worker: workerName }), 'works jobs from now on')
    this.#heartbeat.start()
    this.#doorbell.start()
    this.#recover.start()
    this.#pool.start((capacity, lateMs) => {
      const fields = (): object => ({ capacity, lateMs: Math.round(lateMs) })
      eventLog.write('worker.multiWorkerAction', fields, 'the number of jobs at a time follows the event loop')
      void this.#ask()
    })
    void this.#ask()
  }

  /** The manager says that a process died. */
  peerDied(death: PeerDeath): void {
    void this.#recover.announce(death)
  }

  /** Claims no more, waits for what runs, gives the rest back, and leaves. Ends in time with Redis gone. */
  async stop(signal: AbortSignal): Promise<void> {
    const { graceMs, scope } = this.#options
    this.#pool.close()
    // An exchange without room takes the offer back, and brings what was handed over before: that is given back.
    await Promise.all([within(graceMs, this.#pool.idle(), nothing, signal), within(withdrawMs, this.#ask(), nothing)])
    // The last first: each goes to the head of its queue.
    for (const work of this.#pool.running.toReversed()) work.abort(new AH_TASKS_STOPPED(work.task))
    // Each part ends by itself; with Redis gone one after the other would take longer than a stop may.
    await within(lastWordsMs, this.#sayLastWords(), nothing)
    scope.eventLog.write('worker.end', () => ({ worker: scope.workerName }), 'works no more jobs')
  }

  /** Never rejects. */
  async #sayLastWords(): Promise<void> {
    const deaf = Promise.all([this.#doorbell.stop(), this.#recover.stop()])
    await within(settleMs, this.#pool.idle(), nothing)
    await this.#fetch.close(settleMs)
    await Promise.all([deaf, this.#heartbeat.stop()])
    try {
      await this.#processors.leave()
    } catch (thrown) {
      this.#options.scope.log.warn(
        { err: toError(thrown) },
        'Redis could not be told that this process has left: its lease ends by itself',
      )
    }
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    try {
      await this.#fetch.ask()
    } catch (thrown) {
      this.#options.scope.log.debug({ err: toError(thrown) }, 'nothing more is fetched')
    }
  }

  #start(jobs: readonly ClaimedJob[]): void {
    const startedAt = performance.now()
    for (const claimed of jobs) {
      const work = new Work(claimed, startedAt, this.#place)
      // An exchange that was under way when the stop came: nothing of it begins.
      if (this.#pool.isClosed) work.abort(new AH_TASKS_STOPPED(work.task))
      this.#pool.add(work)
      void this.#worker.work(work).then(() => this.#leave(work))
    }
  }

  /** A work that ended without a settle, parked or another's by now: no exchange tells of the room that it leaves. */
  #leave(work: Work): void {
    if (work.place < 0) return
    this.#pool.remove(work)
    if (!this.#pool.isClosed) void this.#ask()
  }

  #cancel(id: string): void {
    this.#options.cancels.note(id)
    for (const work of this.#pool.running) {
      if (work.meta?.id === id) work.abort(new AH_TASKS_CANCELLED(work.task))
    }
  }

  /** What Redis has claimed for this process, beside what it runs. */
  #compare(known: ReadonlySet<number>, seen: number): void {
    const running = new Set(this.#pool.running.map(({ claim }) => claim))
    for (const claim of known) {
      // A letter was lost on its way: an exchange brings its job.
      if (claim > seen) void this.#ask()
      // Redis failed over to a time when it was claimed, or is just being told of its end: what comes second finds nothing.
      else if (claim <= seen && !running.has(claim)) void this.#release(claim)
    }
  }

  async #release(claim: number): Promise<void> {
    try {
      await this.#fetch.settle({ claim, kind: 'l' })
    } catch (thrown) {
      this.#options.scope.log.debug({ err: toError(thrown), claim }, 'its lease ends by itself')
    }
  }

  #recovered(bootId: string, count: number): void {
    this.#options.scope.eventLog.write(
      'worker.cleaning_worker',
      () => ({ bootId, jobs: count }),
      'a process died: its jobs were given back',
    )
    void this.#ask()
  }
}

/** Tells of the first failure in a row, and of the others only who wants to know. */
export function reporter({ eventLog }: Scope): (part: string) => (error: Error, failures: number) => void {
  return (part) => (error, failures) => {
    const fields = (): object => ({ err: error, part, failures })
    if (failures === 1)
      eventLog.write('worker.internalError', fields, 'a part of the tasks has no answer from Redis and tries again')
    else eventLog.write('worker.poll', fields, 'it still has none')
  }
}

// A time that is over is no error here.
function nothing(): void {}
