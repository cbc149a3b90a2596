// How an app ends without breaking what it is answering: once per app, with or without a manager.
import { Server as NetServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { lifecycleOf, oncePerApp } from 'fastify-ah-kit'
import { acceptedSockets } from './listening-handle.ts'
import { OpenSockets } from './open-sockets.ts'
import { DEFAULT_DRAIN_MS, type DrainTimes } from './options.ts'

/** Who hears of the steps. */
export interface DrainListener {
  /** It begins and will take at most this long. */
  stopping(drainMs: number): void
  /** The listening socket is about to be closed; it may be kept a moment longer. */
  deaf(): void | Promise<void>
  /** Nothing is left: connections gone, app closed. */
  stopped(): void
}

// What preClose hooks have just begun (close frames, last bytes of a stream) may still leave before the sockets go.
const LAST_BYTES_MS = 500

/**
 * Runs once, whoever asks first.
 *
 * 1. readiness says no; `notReadyMs` pass
 * 2. every answer carries `Connection: close`, HTTP/2 sessions get a GOAWAY
 * 3. the server accepts no more; idle connections stay: a request may be on its way on them
 * 4. until the connections are gone or `drainMs` is over; beside it run the parts of `lifecycle.onDrain`
 * 5. `app.close()`; connections that are still there half a second later are cut
 */
export class Drain {
  readonly #app: FastifyInstance
  readonly #sockets: OpenSockets
  readonly #ordered: Partial<DrainTimes>
  readonly #listeners: DrainListener[] = []
  #times: DrainTimes
  #running: Promise<void> | undefined

  /** `ordered`: what the operator said; it wins over what the app says. */
  constructor(app: FastifyInstance, ordered: Partial<DrainTimes> = {}) {
    this.#app = app
    this.#ordered = ordered
    this.#times = { drainMs: DEFAULT_DRAIN_MS, notReadyMs: 0, ...ordered }
    this.#sockets = new OpenSockets(app.server)
    lifecycleOf(app).addReadinessCheck('cluster', () => (this.isRunning ? 'draining' : true))
    // Also after a bare app.close(): without its server the process has nothing left to do.
    app.addHook('onClose', async () => {
      for (const listener of this.#listeners) listener.stopped()
    })
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** What the drain may take, in ms: the longest of `drainMs` and the parts that plugins added. */
  get longestMs(): number {
    return this.#times.notReadyMs + Math.max(this.#times.drainMs, lifecycleOf(this.#app).drainMs)
  }

  /** Takes the app's times, where the operator said nothing. */
  configure(times: DrainTimes): void {
    this.#times = { ...times, ...this.#ordered }
  }

  /** The primary is gone: nobody is left who would send requests elsewhere meanwhile. */
  skipNotReady(): void {
    this.#times = { ...this.#times, notReadyMs: 0 }
  }

  hear(listener: DrainListener): void {
    this.#listeners.push(listener)
  }

  /** Drains and closes the app. A second call answers the first one's promise. Rejects with what app.close() does. */
  run(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  async #run(): Promise<void> {
    const { notReadyMs, drainMs } = this.#times
    for (const listener of this.#listeners) listener.stopping(this.longestMs)
    if (notReadyMs > 0) await new Promise((resolve) => setTimeout(resolve, notReadyMs))
    this.#sockets.closeAfterAnswers()
    await Promise.all(this.#listeners.map((listener) => listener.deaf()))
    await turnOfLoop()
    const gone = this.#stopAccepting()
    await Promise.all([within(drainMs, gone), lifecycleOf(this.#app).drain()])
    await this.#close()
  }

  /** Resolves when the last connection is gone; at once if the server never listened. */
  #stopAccepting(): Promise<void> {
    const { server } = this.#app
    // A worker with too many connections may have stopped listening, and has them still.
    if (!server.listening && acceptedSockets(server).length === 0) return Promise.resolve()
    // net's close, not http's: that one would destroy idle connections together with the requests on their way.
    return new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()))
  }

  async #close(): Promise<void> {
    const cut = setTimeout(() => this.#sockets.destroy(), LAST_BYTES_MS)
    try {
      await this.#app.close()
    } finally {
      clearTimeout(cut)
    }
  }
}

/** Connections that wait in the kernel are accepted by then; with the last listening socket they would be reset. */
async function turnOfLoop(): Promise<void> {
  for (let phase = 0; phase < 2; phase += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** The drain of the app that `instance` belongs to. */
export function drainOf(instance: FastifyInstance): Drain {
  return oncePerApp(instance, 'drain', (root) => new Drain(root))
}

/** Resolves with `done`, or after `ms`. */
async function within(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([done, over])
  clearTimeout(timer)
}
