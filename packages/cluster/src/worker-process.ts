// The process of a worker as its primary sees it: forked with its orders, its channel, its end.
import { type ChildProcess, fork } from 'node:child_process'
import type { NativeHandle } from './listening-handle.ts'
import { type FromWorker, openFromWorker, seal, type ToWorker } from './messages.ts'
import type { WorkerSpec } from './worker-events.ts'
import { workerFlags } from './worker-flags.ts'

/** Who hears of it. */
export interface ProcessListener {
  said(message: FromWorker): void
  /** What came over the channel is none of ours. */
  babbled(raw: unknown): void
  /** The channel is closed, from either end. */
  disconnected(): void
  ended(code: number | null, signal: NodeJS.Signals | null): void
  /** It could not be forked: no memory, too many processes. */
  failed(error: Error): void
}

const BODY = new URL('./worker-body.js', import.meta.url)

/** One process. */
export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #listener: ProcessListener

  /** Forks it and sends the orders; `bootId` becomes its `AH_BOOT_ID`. Throws what `fork` throws. */
  constructor(spec: WorkerSpec, bootId: string, listener: ProcessListener) {
    this.#listener = listener
    // The app file as argument is for those who read `ps`; the worker takes it from its orders.
    this.#child = fork(BODY, [spec.orders.app], {
      cwd: spec.cwd,
      env: { ...spec.env, AH_BOOT_ID: bootId },
      execArgv: [...workerFlags(process.execArgv), ...spec.flags],
      stdio: ['ignore', spec.output, spec.output, 'ipc'],
    })
    this.#child.on('message', (raw) => this.#hear(raw))
    this.#child.on('exit', (code, signal) => listener.ended(code, signal))
    this.#child.on('error', (error) => this.pid === undefined && listener.failed(error))
    this.#child.on('disconnect', () => listener.disconnected())
    try {
      this.send({ type: 'start', orders: spec.orders }, spec.handle)
    } catch (error) {
      // Without its orders it would wait for ever.
      this.kill()
      throw error
    }
  }

  /** Undefined if it could not be forked. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Does nothing once the channel is closed. */
  send(message: ToWorker, handle?: NativeHandle): void {
    if (!this.#child.connected) return
    this.#child.send(seal(message), handle as never, (error) => {
      // Only to a worker that dies at this moment; its exit tells the rest.
      if (error !== null) this.#listener.disconnected()
    })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #hear(raw: unknown): void {
    const message = openFromWorker(raw)
    if (message === undefined) this.#listener.babbled(raw)
    else this.#listener.said(message)
  }
}
