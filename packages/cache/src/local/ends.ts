// When values in Redis end: asked for once a tick, for what is about to be kept in memory.
import { TickBatch } from 'fastify-ah-kit'
import type { RedisConnection } from 'fastify-ah-kit/redis'

/** Asks for the ends of keys. */
export class Ends {
  readonly #batch: TickBatch<string, number>

  constructor(connection: RedisConnection) {
    this.#batch = new TickBatch({
      name: 'ends',
      send: async (keys) => {
        const answers = await connection.pipeline(
          keys.map((key) => ({ command: 'PTTL', args: [key] })),
          { isWrite: false },
        )
        return answers.map((answer) => (answer instanceof Error ? answer : Number(answer)))
      },
    })
  }

  /**
   * Until when the value certainly lives, in ms of the monotonic clock: Infinity for ever, undefined if it is gone.
   * Redis' own word, since the clocks of those who saved it may be wrong; and from before it was asked, since the answer
   * may come late.
   */
  async endOf(key: string): Promise<number | undefined> {
    const askedAt = performance.now()
    const ttl = await this.#batch.add(key)
    if (ttl === -1) return Number.POSITIVE_INFINITY
    return ttl > 0 ? askedAt + ttl : undefined
  }

  close(): Promise<void> {
    return this.#batch.close()
  }
}
