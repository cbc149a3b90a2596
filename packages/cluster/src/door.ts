// A worker's listening socket: shut while it has too many connections, opened again with a fresh hold on it.
import type { Server } from 'node:net'
import { LEAST_CEILING } from './balance.ts'
import type { Drain } from './drain.ts'
import { connectionCount, letGo, type NativeHandle, resume } from './listening-handle.ts'
import type { ListenAddress } from './types.ts'

/** What a door needs to know. */
export interface DoorOptions {
  readonly address: ListenAddress
  readonly backlog: number
  readonly drain: Drain
  /** Told when so many connections are open that the others should know, or when it has shut. */
  readonly grown: () => void
}

// The others learn of growth in steps of an eighth: often enough for a burst, seldom enough for the channel.
const STEP = 8

/** Between two words of the primary it decides by itself: a burst is over before a question would be answered. */
export class Door {
  readonly #server: Server
  readonly #options: DoorOptions
  #ceiling = Number.MAX_SAFE_INTEGER
  #tellAt = LEAST_CEILING
  #isShut = false

  constructor(server: Server, options: DoorOptions) {
    this.#server = server
    this.#options = options
    server.on('connection', () => this.#look())
  }

  /** Whether it does not listen since it has too many connections. */
  get isShut(): boolean {
    return this.#isShut
  }

  /** With this many connections it shuts. */
  limit(ceiling: number): void {
    this.#ceiling = ceiling
  }

  /** Listens again on `handle`, unless it does or a drain has begun. */
  open(handle: NativeHandle): void {
    const { address, backlog, drain } = this.#options
    if (!this.#isShut || drain.isRunning) {
      handle.close()
      return
    }
    this.#isShut = false
    resume(this.#server, handle, address, backlog)
  }

  #look(): void {
    const count = connectionCount(this.#server)
    const isTooMany = count >= this.#ceiling && this.#server.listening
    if (!isTooMany && count < this.#tellAt) return
    if (isTooMany) {
      this.#isShut = true
      letGo(this.#server)
    }
    this.#tellAt = Math.max(LEAST_CEILING, count + Math.ceil(count / STEP))
    this.#options.grown()
  }
}
