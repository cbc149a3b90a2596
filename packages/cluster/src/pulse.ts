// A worker's sign of life, and how it fares.
import type { Server } from 'node:http'
import { performance } from 'node:perf_hooks'
import { connectionCount } from './listening-handle.ts'
import type { Vitals } from './types.ts'

const MB = 2 ** 20

/** Speaks at a steady pace; a blocked event loop makes it silent, which is what its silence means. */
export class Pulse {
  readonly #server: Server
  readonly #say: (vitals: Vitals) => void
  #requests = 0
  #loop = performance.eventLoopUtilization()

  constructor(server: Server, say: (vitals: Vitals) => void) {
    this.#server = server
    this.#say = say
    server.on('request', () => {
      this.#requests += 1
    })
  }

  /** Beats every `ms`. */
  start(ms: number): void {
    setInterval(() => this.beat(), ms).unref()
  }

  /** Speaks out of turn. */
  beat(): void {
    this.#say(this.#vitals())
  }

  #vitals(): Vitals {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#loop)
    this.#loop = now
    return {
      rssMb: process.memoryUsage.rss() / MB,
      utilization,
      connections: connectionCount(this.#server),
      requests: this.#requests,
    }
  }
}
