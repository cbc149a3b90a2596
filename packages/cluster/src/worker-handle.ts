// The primary's handle of one worker: its process, its state, and when its time is over.
import { randomUUID } from 'node:crypto'
import type { PeerDeath } from 'fastify-ah-kit'
import { type ErrorReport, reportOf } from './error-report.ts'
import type { NativeHandle } from './listening-handle.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { BOOT_GRACE_MS, CLOSE_MS } from './options.ts'
import type { Vitals, WorkerState, WorkerStatus } from './types.ts'
import type { ExitReason, WorkerListener, WorkerSpec } from './worker-events.ts'
import { WorkerProcess } from './worker-process.ts'

/** Why we kill. */
type Killing = Extract<ExitReason, 'deadline' | 'not-ready' | 'hung'>

/**
 * | state | moves to | when |
 * |---|---|---|
 * | starting | started | it says that it serves |
 * | starting, started | stopping | `stop()`, or it says that it drains |
 * | any | exited | its process ended, or could not be forked |
 *
 * `kill()` and a deadline that passed send SIGKILL; the state changes when the process is gone.
 */
export class WorkerHandle {
  readonly id: number
  /** `<title of the cluster>-worker-<id>` */
  readonly title: string
  readonly role: string | undefined
  readonly generation: number
  /** Whether it takes connections. */
  readonly isListening: boolean
  /** What the worker's leases and claims are filed under; fresh for each process. */
  readonly bootId: string = randomUUID()
  readonly #spec: WorkerSpec
  readonly #listener: WorkerListener<WorkerHandle>
  readonly #process: WorkerProcess
  readonly #startedAt = performance.now()
  #state: WorkerState = 'starting'
  #wasReady = false
  #isDeaf = false
  #isCutOff = false
  #isAsked = false
  #drainMs: number
  #deadline: number
  #killedFor: Killing | undefined
  #vitals: Vitals | undefined
  #isShut = false
  #ceiling = Number.MAX_SAFE_INTEGER
  #error: ErrorReport | undefined
  #hasStopped = false

  constructor(spec: WorkerSpec, listener: WorkerListener<WorkerHandle>) {
    this.#spec = spec
    this.#listener = listener
    this.id = spec.orders.id
    this.title = spec.orders.title
    this.role = spec.role
    this.generation = spec.orders.generation
    this.isListening = spec.handle !== undefined
    // Until it has started: then it says how long it needs.
    this.#drainMs = BOOT_GRACE_MS
    this.#deadline = this.#startedAt + spec.readyMs
    this.#process = new WorkerProcess(spec, this.bootId, {
      said: (message) => this.#obey(message),
      babbled: (raw) => listener.ignored(this, raw),
      disconnected: () => this.#cutOff(),
      ended: (code, signal) => this.#end(code, signal),
      failed: (error) => this.#failed(error),
    })
  }

  /** Undefined if it could not be forked. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  get state(): WorkerState {
    return this.#state
  }

  /** Whether it has closed its listening socket, or will at once. */
  get isDeaf(): boolean {
    return this.#isDeaf || this.#state === 'exited'
  }

  get uptimeMs(): number {
    return performance.now() - this.#startedAt
  }

  /** Its own last word; undefined before the first. */
  get vitals(): Vitals | undefined {
    return this.#vitals
  }

  /** Whether it has stopped listening since it has too many connections. */
  get isShut(): boolean {
    return this.#isShut
  }

  /** How it stands. */
  status(): Omit<WorkerStatus, 'restarts'> {
    const { id, role, state, generation, vitals } = this
    return { id, role, pid: this.pid ?? 0, state, generation, uptimeMs: Math.round(this.uptimeMs), vitals }
  }

  /** How long, at `now`, until it is overdue: not ready in time, or still there after its drain. */
  dueInMs(now: number): number {
    if (this.#killedFor !== undefined || this.#state === 'exited') return Number.POSITIVE_INFINITY
    if (this.#state === 'started' && !this.#isCutOff) return Number.POSITIVE_INFINITY
    return this.#deadline - now
  }

  /** Kills it if it is overdue. Answers whether it did. */
  killIfOverdue(now: number): boolean {
    if (this.dueInMs(now) > 0) return false
    this.#kill(this.#state === 'starting' ? 'not-ready' : 'deadline')
    return true
  }

  /** Tells it to drain and exit; the deadline runs from here. Calls after the first change nothing. */
  stop(): void {
    if (this.#isAsked || this.#state === 'exited') return
    this.#isAsked = true
    if (this.#state !== 'stopping') this.#beginStop(this.#drainMs)
    this.#process.send({ type: 'stop' })
  }

  /** Ends it now: the operator wants it, or it does not answer any more. */
  kill(reason: 'deadline' | 'hung' = 'deadline'): void {
    this.#kill(reason)
  }

  /** Tells it that another worker died. */
  announce(death: PeerDeath): void {
    this.#process.send({ type: 'peer-death', death })
  }

  /** Answers a question of its. */
  answer(message: Extract<ToWorker, { type: 'status' | 'reloading' }>): void {
    this.#process.send(message)
  }

  /** Tells it with how many connections it shall leave new ones to others. */
  limit(connections: number): void {
    if (connections === this.#ceiling) return
    this.#ceiling = connections
    this.#process.send({ type: 'ceiling', connections })
  }

  /** Asks how it fares. */
  ping(): void {
    this.#process.send({ type: 'ping' })
  }

  /** Asks for its plugins' numbers. */
  askReport(): void {
    this.#process.send({ type: 'ask-report' })
  }

  /** Has it listen again. */
  reopen(handle: NativeHandle): void {
    this.#isShut = false
    this.#process.send({ type: 'listen' }, handle)
  }

  #kill(reason: Killing): void {
    if (this.#state === 'exited') return
    this.#killedFor ??= reason
    this.#process.kill()
  }

  #beginStop(drainMs: number): void {
    this.#state = 'stopping'
    this.#deadline = performance.now() + drainMs + CLOSE_MS
  }

  /** Its channel is closed: it dies at this moment, or its app closed the channel and the worker drains on its own. */
  #cutOff(): void {
    if (this.#state === 'exited') return
    this.#isCutOff = true
    if (this.#state === 'started') this.#deadline = performance.now() + this.#drainMs + CLOSE_MS
    this.#listener.cutOff(this)
  }

  #obey(message: FromWorker): void {
    switch (message.type) {
      case 'starting':
        return
      case 'started':
        this.#drainMs = message.drainMs
        // It may have come up in the very moment in which it was told to stop; then it drains as any other.
        if (this.#state === 'stopping') this.#beginStop(message.drainMs)
        if (this.#state !== 'starting') return
        this.#state = 'started'
        this.#wasReady = true
        this.#listener.started(this)
        return
      case 'stopping':
        if (this.#state === 'exited') return
        this.#beginStop(message.drainMs)
        this.#listener.stopping(this)
        return
      case 'deaf':
        this.#isDeaf = true
        this.#listener.deaf(this)
        return
      case 'failed':
      case 'crashed':
        this.#error ??= message.error
        return
      case 'stopped':
        this.#hasStopped = true
        return
      case 'status':
        this.#listener.statusAsked(this, message.request)
        return
      case 'reload':
        this.#listener.reloadAsked(this, message.request)
        return
      case 'pulse':
        this.#vitals = message.vitals
        this.#isShut = message.isShut
        this.#listener.pulsed(this)
        return
      case 'report':
        this.#listener.reported(this, message.report)
    }
  }

  #end(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#state === 'exited') return
    this.#state = 'exited'
    this.#listener.exited(this, {
      reason: this.#killedFor ?? (this.#hasStopped ? 'stopped' : 'crashed'),
      code,
      signal,
      error: this.#error,
      wasReady: this.#wasReady,
      wasAsked: this.#isAsked,
      app: this.#spec.orders.app,
      readyMs: this.#spec.readyMs,
    })
  }

  #failed(error: Error): void {
    this.#error ??= reportOf(error)
    this.#end(null, null)
  }
}
