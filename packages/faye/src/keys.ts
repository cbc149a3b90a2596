// The Redis keys of clients.
import type { KeySpace } from 'fastify-ah-kit/redis'

/** Names the keys of one prefix. */
export class FayeKeys {
  readonly #space: KeySpace

  constructor(space: KeySpace) {
    this.#space = space
  }

  /** The record of a client: who keeps it, and its subscriptions. */
  client(clientId: string): string {
    return this.#space.key('faye', clientId)
  }
}
