// How long this process has not looked at its sockets: what it did not read yet, it cannot know.
import { performance } from 'node:perf_hooks'

// How long the loop may have been busy since its sockets were looked at for sure. Beyond, a value could be older than the
// 50 ms that are promised; the rest of those is for the way from Redis.
const busyMs = 40

/**
 * Says until when memory may be served in this turn of the event loop. A handler that computes for a second, or a loop of
 * `await get(…)` that is answered from memory and so never lets the loop turn, hears nothing of what changes meanwhile.
 *
 * Notes the loop's busy time once a turn, right after the sockets were looked at; idle time does not count, the sockets
 * are watched all through it. The note before the last one is taken, because the sockets of one look are served in any
 * order, the one with the news among them.
 */
export class Turn {
  #immediate: NodeJS.Immediate | undefined
  #noted = 0
  #notedLast = 0
  #isBegun = false
  #freshUntil = 0

  start(): void {
    this.#noted = this.#notedLast = busyTime()
    this.#await()
  }

  stop(): void {
    clearImmediate(this.#immediate)
  }

  /**
   * Until when, in ms of the monotonic clock; a time that is over for not at all. `limit`: what else puts an end to it,
   * asked for at the first call of a turn.
   */
  freshUntil(now: number, limit: () => number): number {
    if (this.#isBegun) return this.#freshUntil
    this.#isBegun = true
    this.#freshUntil = Math.min(limit(), now + busyMs - (busyTime() - this.#noted))
    return this.#freshUntil
  }

  // Unreferenced: runs when the loop turns for another reason, and wakes nobody.
  #await(): void {
    this.#immediate = setImmediate(this.#note).unref()
  }

  readonly #note = (): void => {
    this.#isBegun = false
    this.#noted = this.#notedLast
    this.#notedLast = busyTime()
    this.#await()
  }
}

function busyTime(): number {
  return performance.eventLoopUtilization().active
}
