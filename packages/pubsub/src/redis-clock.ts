// The time by Redis, without asking it each time.
import type { RedisConnection } from 'fastify-ah-kit/redis'

/** Hosts' clocks differ by minutes; all nodes agree on that of Redis, give or take half a round trip. */
export class RedisClock {
  readonly #connection: RedisConnection
  #offset = Number.NaN

  constructor(connection: RedisConnection) {
    this.#connection = connection
  }

  /** In ms since 1970, whole. */
  now(): number {
    return Math.round(performance.now() + this.#offset)
  }

  /** Asks Redis. */
  async measure(): Promise<void> {
    const sentAt = performance.now()
    const [seconds, micros] = await this.#connection.read<[string, string]>('TIME', [])
    this.note(Number(seconds) * 1000 + Number(micros) / 1000, sentAt)
  }

  /** Redis said this time in an answer to what was sent at `sentAt` (of the monotonic clock). */
  note(redisMs: number, sentAt: number): void {
    const receivedAt = performance.now()
    // An answer that took long says little; without any other it is better than nothing.
    if (receivedAt - sentAt > 1000 && !Number.isNaN(this.#offset)) return
    this.#offset = redisMs - (sentAt + receivedAt) / 2
  }
}
