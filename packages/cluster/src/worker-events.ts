// What a worker is started with, and what is told of it.
import type { ErrorReport } from './error-report.ts'
import type { NativeHandle } from './listening-handle.ts'
import type { WorkerOrders } from './messages.ts'

/** What a worker is started with. */
export interface WorkerSpec {
  readonly orders: WorkerOrders
  readonly role: string | undefined
  /** Undefined: it listens to nobody. */
  readonly handle: NativeHandle | undefined
  /** Working directory: the project's folder as it resolves now. */
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Flags of Node besides the primary's own. */
  readonly flags: readonly string[]
  /** Where its stdout and stderr go: to the primary's, or into an open file. */
  readonly output: 'inherit' | number
  readonly readyMs: number
}

/**
 * Why a worker ended. `stopped`: drained and closed; `crashed`: by itself or by somebody's signal; `deadline`: killed
 * by us, its drain took too long or the operator forced it; `not-ready`: killed by us, it never came up; `hung`: killed by
 * us, it had stopped answering.
 */
export type ExitReason = 'stopped' | 'crashed' | 'deadline' | 'not-ready' | 'hung'

/** How a worker ended. */
export interface WorkerExit {
  readonly reason: ExitReason
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** What it said of its end, or why it could not be forked. */
  readonly error: ErrorReport | undefined
  readonly wasReady: boolean
  /** We had told it to stop. */
  readonly wasAsked: boolean
  readonly app: string
  readonly readyMs: number
}

/** Who hears of a worker. */
export interface WorkerListener<Worker> {
  started(worker: Worker): void
  /** It began to drain, asked to or not. */
  stopping(worker: Worker): void
  /** It is about to close its listening socket. */
  deaf(worker: Worker): void
  /** Its channel closed: its end is near, one way or the other. */
  cutOff(worker: Worker): void
  statusAsked(worker: Worker, request: number): void
  reloadAsked(worker: Worker, request: number): void
  /** It said how it fares. */
  pulsed(worker: Worker): void
  /** Its plugins told their numbers. */
  reported(worker: Worker, report: unknown): void
  ignored(worker: Worker, raw: unknown): void
  exited(worker: Worker, exit: WorkerExit): void
}
