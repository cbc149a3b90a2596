// What is done about a client that reports errors, falls silent, or speaks to a server that is no master any more.
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { withoutArguments } from './failure.ts'
import { silentMasters } from './liveness.ts'
import type { RedisClient } from './target.ts'

/** Looks after one client. Whether it is ours or was handed in makes no difference, except for what it knows itself. */
export class ClientCare {
  readonly #client: RedisClient
  readonly #label: string
  readonly #log: FastifyBaseLogger
  #isDown = false
  #isRenewing = false

  constructor(client: RedisClient, label: string, log: FastifyBaseLogger) {
    this.#client = client
    this.#label = label
    this.#log = log
  }

  /** The client has reported an error: one line an outage, not one a retry. */
  readonly noteError = (thrown: Error): void => {
    if (this.#isDown) return
    this.#isDown = true
    const err = withoutArguments(thrown)
    this.#log.warn({ err, redis: this.#label }, 'the connection to Redis has an error')
  }

  /** The client is ready. */
  readonly noteReady = (): void => {
    if (this.#isDown) this.#log.info({ redis: this.#label }, 'Redis is back')
    this.#isDown = false
  }

  /**
   * Nothing came back within a deadline: the socket may be dead, and TCP notices that in a quarter of an hour. What does
   * not answer PING either is told to connect anew.
   */
  async renewSilent(): Promise<void> {
    if (this.#isRenewing) return
    this.#isRenewing = true
    for (const master of await silentMasters(this.#client)) {
      this.#log.warn({ redis: this.#label }, 'Redis is silent, the connection is made anew')
      master.disconnect(true)
    }
    this.#isRenewing = false
  }

  /** Behind Sentinel, or a name that moves, the next connection finds the new master; on Cluster redirections do. */
  leaveDemoted(): void {
    if (!this.#client.isCluster && this.#client.status === 'ready') (this.#client as Redis).disconnect(true)
  }
}
