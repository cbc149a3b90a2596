// The names in Redis: of channels, of the list of nodes.
import type { KeySpace } from 'fastify-ah-kit/redis'

/**
 * Channels of users and of servers begin differently, and no pattern over the one can match the other: `:` stands where
 * the other has `-`. They have no tags on Cluster, where a channel lies on the slot of its whole name.
 */
export class PubSubKeys {
  readonly #space: KeySpace
  readonly #userPrefix: string
  readonly #controlPrefix: string
  /** What the channels begin with on which a connection is asked whether it hears. */
  readonly probePrefix: string

  constructor(space: KeySpace) {
    this.#space = space
    this.#userPrefix = `${space.prefix}pubsub:`
    this.#controlPrefix = `${space.prefix}pubsub-internal:`
    this.probePrefix = `${space.prefix}pubsub-probe:`
  }

  /** Of a channel or pattern that everybody may use. */
  user(channel: string): string {
    return this.#userPrefix + channel
  }

  /** Of a channel or pattern of the servers. */
  control(channel: string): string {
    return this.#controlPrefix + channel
  }

  /** Hash: id of each node → what it says of itself. */
  get nodeList(): string {
    return this.#space.key('nodes', 'list')
  }

  /** Sorted set: id of each node → when its lease ends. On Cluster in the slot of the list: the same name. */
  get nodeLeases(): string {
    return this.#space.key('node-leases', 'list')
  }

  /** The last-beat of all nodes. */
  get nodeBeat(): string {
    return this.#space.key('node-beat', 'list')
  }
}
