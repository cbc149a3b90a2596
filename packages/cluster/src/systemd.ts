// What systemd is told of this process: that it is ready, reloads, stops, and that it is alive (sd_notify).
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { toError } from 'fastify-ah-kit'
import type { Audience } from './journal.ts'

/** What systemd says to a service of `Type=notify` by its environment. */
export interface NotifyVariables {
  readonly NOTIFY_SOCKET: string | undefined
  /** How long it waits for a sign of life, in µs. */
  readonly WATCHDOG_USEC: string | undefined
  readonly WATCHDOG_PID: string | undefined
}

// Node has no unix datagram sockets.
const COMMAND = 'systemd-notify'
// It waits for systemd to have read the message, which takes no time unless systemd hangs.
const NOTIFY_MS = 10_000

/** Messages leave in their order; one that fails is told once, and the next is tried all the same. */
export class Systemd implements Audience {
  readonly #env: NodeJS.ProcessEnv
  readonly #onError: (error: Error) => void
  readonly #watchdog: NodeJS.Timeout | undefined
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  #hasFailed = false

  /** Undefined without `NOTIFY_SOCKET`: this process is not started by systemd, or not as `Type=notify`. */
  static from(variables: NotifyVariables, onError: (error: Error) => void): Systemd | undefined {
    return variables.NOTIFY_SOCKET === undefined ? undefined : new Systemd(variables, onError)
  }

  private constructor(
    { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID }: NotifyVariables,
    onError: (error: Error) => void,
  ) {
    this.#env = { NOTIFY_SOCKET, PATH: '/usr/bin:/bin:/usr/local/bin' }
    this.#onError = onError
    const isForUs = WATCHDOG_PID === undefined || WATCHDOG_PID === String(process.pid)
    // Half the time, as sd_watchdog_enabled(3) asks for.
    const everyMs = isForUs ? Math.floor(Number(WATCHDOG_USEC ?? 0) / 2_000) : 0
    // A timer of this event loop: what stops it from turning stops the signs of life.
    if (everyMs > 0) this.#watchdog = setInterval(() => this.#isAlive(), everyMs).unref()
  }

  serves(workers: number): void {
    this.#tell('READY=1', `STATUS=${workers === 1 ? '1 worker serves' : `${workers} workers serve`}`)
  }

  reloads(): void {
    // The clock that systemd compares with is CLOCK_MONOTONIC, as Node's hrtime.
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`, 'STATUS=reloads')
  }

  stops(): void {
    this.#tell('STOPPING=1', 'STATUS=stops')
  }

  /** Ends the signs of life and waits for what was said to have left. */
  async close(): Promise<void> {
    clearInterval(this.#watchdog)
    await this.#last
  }

  /** One that is still on its way is sign enough. */
  #isAlive(): void {
    if (this.#waiting === 0) this.#tell('WATCHDOG=1')
  }

  #tell(...words: string[]): void {
    this.#waiting += 1
    this.#last = this.#last
      .then(() => this.#send(words))
      .finally(() => {
        this.#waiting -= 1
      })
  }

  /** Never rejects. */
  async #send(words: string[]): Promise<void> {
    try {
      await promisify(execFile)(COMMAND, words, { env: this.#env, timeout: NOTIFY_MS })
    } catch (thrown) {
      if (!this.#hasFailed) this.#onError(toError(thrown))
      this.#hasFailed = true
    }
  }
}
