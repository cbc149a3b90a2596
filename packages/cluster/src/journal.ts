// What the primary tells of its workers: one line an event, with stable keys.
import { type Logger, pino } from 'pino'
import { type ErrorReport, reportOf } from './error-report.ts'
import { describeAddress } from './listen-address.ts'
import type { LogFile } from './log-file.ts'
import type { CrashedWorker, ListenAddress } from './types.ts'
import type { WorkerExit } from './worker-events.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** How the log is written. */
export interface LogOptions {
  readonly level: string
  readonly isTerminal: boolean
  /** Instead of stdout. */
  readonly file?: LogFile | undefined
}

/** The primary's logger: JSON into the file or on stdout, readable on a terminal. Synchronous: the last line before the end counts most. */
export async function createLog({ level, isTerminal, file }: LogOptions): Promise<Logger> {
  const options = { name: 'fastify-ah', level, serializers: { err: asErr } }
  if (file !== undefined) return pino(options, file)
  if (!isTerminal) return pino(options, pino.destination({ dest: 1, sync: true }))
  const { default: pretty } = await import('pino-pretty')
  const format = {
    colorize: true,
    sync: true,
    singleLine: true,
    ignore: 'pid,hostname,name',
    translateTime: 'SYS:HH:MM:ss',
  }
  return pino(options, pretty(format))
}

/** Who follows the cluster's course besides the log: systemd, the terminal that started it in the background. */
export interface Audience {
  /** Every worker serves, for the first time or again. */
  serves(workers: number): void
  /** The workers will be replaced, one after the other or all at once; `serves` follows, also if nothing came of it. */
  reloads(): void
  stops(): void
  /** A worker died by itself. */
  died?(error: Error, worker: CrashedWorker): void
}

/** The lines and their keys: `worker workerPid generation` in each line about a worker, `err` with the stack. */
export class Journal {
  readonly #log: Logger
  readonly #audience: readonly Audience[]
  #ignored = 0
  /** At the last equilibrium. */
  #serving = 0

  constructor(log: Logger, audience: readonly Audience[] = []) {
    this.#log = log
    this.#audience = audience
  }

  starts(address: ListenAddress | undefined, workers: number): void {
    this.#log.info({ address, workers }, `the cluster starts with ${count(workers)}${on(address)}`)
  }

  /** More workers than the machine can carry. */
  metered(host: string, port: number): void {
    this.#log.info({ host, port }, `the metrics of all workers are on http://${host}:${port}/metrics`)
  }

  crowded(warnings: readonly string[]): void {
    for (const warning of warnings) this.#log.warn(warning)
  }

  equilibrium(address: ListenAddress | undefined, workers: number): void {
    this.#log.info(
      { address, workers },
      `cluster equilibrium state reached with ${count(workers)}${address === undefined ? '' : `, listening${on(address)}`}`,
    )
    this.#serving = workers
    for (const one of this.#audience) one.serves(workers)
  }

  stops(workers: number): void {
    this.#log.info({ workers }, `the cluster stops: ${count(workers)} to drain, a second signal kills them`)
    for (const one of this.#audience) one.stops()
  }

  stopped(isGraceful: boolean): void {
    this.#log.info({ isGraceful }, 'the cluster has stopped')
  }

  reloadBegins(generation: number, workers: number): void {
    this.#log.info({ generation, workers }, `the cluster reloads: ${count(workers)}, one after the other`)
    for (const one of this.#audience) one.reloads()
  }

  reloadDone(generation: number, workers: number): void {
    this.#log.info({ generation, workers }, `reload done: ${count(workers)} of generation ${generation}`)
    for (const one of this.#audience) one.serves(workers)
  }

  reloadGivenUp(generation: number, error: Error): void {
    this.#log.error(
      { generation, err: reportOf(error) },
      `the reload was given up, the old workers serve on: ${error.message}`,
    )
    for (const one of this.#audience) one.serves(this.#serving)
  }

  reloadCancelled(generation: number): void {
    this.#log.warn({ generation }, `the reload to generation ${generation} was given up: the cluster restarts`)
  }

  restarts(workers: number): void {
    this.#log.info({ workers }, `the cluster restarts: ${count(workers)} to drain at once and to be replaced`)
    for (const one of this.#audience) one.reloads()
  }

  scaled(role: string | undefined, workers: number): void {
    this.#log.info({ role, workers }, `the cluster shall have ${count(workers, role)}`)
  }

  flapping(isFlapping: boolean): void {
    if (isFlapping)
      this.#log.error({ flapping: true }, 'the cluster is flapping: workers die faster than they can serve')
    else this.#log.info({ flapping: false }, 'the cluster is no longer flapping')
  }

  waits(error: Error, waitMs: number): void {
    this.#log.warn({ waitMs }, `${error.message}; trying again for ${waitMs} ms`)
  }

  workerStarts(worker: WorkerHandle): void {
    this.#log.info(labels(worker), 'worker starts')
  }

  workerStarted(worker: WorkerHandle): void {
    this.#log.info({ ...labels(worker), bootMs: Math.round(worker.uptimeMs) }, 'worker started')
  }

  workerDrains(worker: WorkerHandle): void {
    this.#log.info(labels(worker), 'worker drains')
  }

  workerOverdue(worker: WorkerHandle): void {
    this.#log.warn(labels(worker), 'worker is overdue and was killed')
  }

  workerHung(worker: WorkerHandle): void {
    this.#log.error(labels(worker), 'worker does not answer any more and was killed')
  }

  workerTooLarge(worker: WorkerHandle): void {
    this.#log.warn({ ...labels(worker), rssMb: worker.vitals?.rssMb }, 'worker is too large and will be replaced')
  }

  workerNotForked(id: number, error: Error): void {
    this.#log.error({ worker: id, err: reportOf(error) }, `worker could not be started: ${error.message}`)
  }

  /** `isTold`: the end of the whole start tells it, so that it is told once. */
  workerExited(worker: WorkerHandle, exit: WorkerExit, isTold: boolean): void {
    const { code, signal, error } = exit
    const facts = {
      ...labels(worker),
      code,
      signal,
      uptimeMs: Math.round(worker.uptimeMs),
      ...(error === undefined ? {} : { err: error }),
    }
    if (exit.reason === 'stopped' || exit.wasAsked) this.#log.info(facts, 'worker stopped')
    else if (isTold) this.#log.debug(facts, 'worker died at boot')
    else this.#log.error(facts, `worker died: ${causeOf(exit)}`)
    if (exit.reason === 'stopped' || exit.wasAsked) return
    const { id, pid, role, generation } = worker
    const died = Object.assign(new Error(causeOf(exit)), error)
    for (const one of this.#audience) one.died?.(died, { id, pid, role, generation, code, signal })
  }

  /** Garbage may come by the thousand: the first is worth a warning. Undefined: from one of the workers. */
  messageIgnored(worker: WorkerHandle | undefined): void {
    this.#ignored += 1
    const facts = { ...(worker === undefined ? {} : labels(worker)), ignored: this.#ignored }
    this.#log[this.#ignored === 1 ? 'warn' : 'debug'](facts, 'a message from a worker is not ours and is ignored')
  }

  failed(error: Error, what: string): void {
    this.#log.error({ err: error }, what)
  }
}

function causeOf({ error, signal, code }: WorkerExit): string {
  return error?.message ?? signal ?? `exit code ${code}`
}

function on(address: ListenAddress | undefined): string {
  return address === undefined ? '' : ` on ${describeAddress(address)}`
}

/** A worker's error comes as data, in pino's own shape already. */
function asErr(error: Error | ErrorReport): object {
  return error instanceof Error ? pino.stdSerializers.err(error) : error
}

function labels(worker: WorkerHandle): { worker: number; workerPid: number | undefined; generation: number } {
  return { worker: worker.id, workerPid: worker.pid, generation: worker.generation }
}

function count(workers: number, role?: string): string {
  return `${workers} ${role === undefined ? '' : `${role} `}${workers === 1 ? 'worker' : 'workers'}`
}
