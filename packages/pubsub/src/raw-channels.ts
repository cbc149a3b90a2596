// Redis channels of other plugins, whose bytes come from scripts of theirs: held by the same connections as ours.
import type { FastifyBaseLogger } from 'fastify'
import { toError, within } from 'fastify-ah-kit'
import { AH_PUBSUB_CHANNEL, AH_PUBSUB_CLOSED, AH_PUBSUB_NOT_SUBSCRIBED } from './errors.ts'
import type { PubSubKeys } from './keys.ts'
import { shown } from './shown.ts'
import type { Transport } from './transport/transport.ts'
import type { RawListener, RawSubscription, RawSubscriptions } from './types.ts'

/** What it works with. */
export interface RawChannelsOptions {
  readonly transport: Pick<Transport, 'hold' | 'release'>
  readonly keys: PubSubKeys
  readonly isSharded: boolean
  readonly log: FastifyBaseLogger
}

/** How long Redis may take to confirm a subscription, in ms. */
const confirmMs = 5_000

/** One listener a channel. What it hears is neither checked nor signed: whoever publishes there vouches for it. */
export class RawChannels implements RawSubscriptions {
  readonly publishCommand: 'PUBLISH' | 'SPUBLISH'
  readonly #options: RawChannelsOptions
  readonly #listeners = new Map<string, RawListener>()
  #isClosed = false

  constructor(options: RawChannelsOptions) {
    this.#options = options
    this.publishCommand = options.isSharded ? 'SPUBLISH' : 'PUBLISH'
  }

  async subscribe(redisName: string, listener: RawListener): Promise<RawSubscription> {
    if (this.#isClosed) throw new AH_PUBSUB_CLOSED()
    this.#check(redisName)
    this.#listeners.set(redisName, listener)
    const { transport } = this.#options
    try {
      await within(confirmMs, transport.hold(redisName), () => {
        throw new AH_PUBSUB_NOT_SUBSCRIBED(shown(redisName), confirmMs)
      })
    } catch (thrown) {
      // Nobody waits for this one: while Redis is away it may take its time.
      this.#remove(redisName, listener).catch(ignore)
      throw toError(thrown)
    }
    let gone: Promise<void> | undefined
    return {
      unsubscribe: () => {
        gone ??= this.#remove(redisName, listener)
        return gone
      },
    }
  }

  /** Whether the name is one of these. */
  take(name: string, bytes: Buffer): boolean {
    const listener = this.#listeners.get(name)
    if (listener === undefined) return false
    this.#tell(() => listener.onBytes(bytes))
    return true
  }

  /** These names may have missed bytes. */
  missed(names: readonly string[]): void {
    for (const name of names) {
      const listener = this.#listeners.get(name)
      if (listener !== undefined) this.#tell(() => listener.onGap())
    }
  }

  close(): void {
    this.#isClosed = true
    this.#listeners.clear()
  }

  #check(redisName: string): void {
    const { keys } = this.#options
    const isOurs = [keys.user(''), keys.control(''), keys.probePrefix].some((prefix) => redisName.startsWith(prefix))
    if (redisName !== '' && !redisName.includes('*') && !isOurs && !this.#listeners.has(redisName)) return
    throw new AH_PUBSUB_CHANNEL(
      `expected the Redis name of a channel of another plugin that nobody listens to yet, got ${shown(redisName)}`,
    )
  }

  #tell(listener: () => void): void {
    try {
      listener()
    } catch (thrown) {
      this.#options.log.error({ err: toError(thrown) }, 'a listener of raw bytes failed')
    }
  }

  async #remove(redisName: string, listener: RawListener): Promise<void> {
    if (this.#listeners.get(redisName) !== listener) return
    this.#listeners.delete(redisName)
    // A silent connection is replaced within that time, and with it the subscription is gone.
    await within(confirmMs, this.#options.transport.release(redisName), ignore)
  }
}

function ignore(): void {}
