// Who wants to hear of nodes and gaps, and that one who fails keeps nobody else from it.
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import { AH_PUBSUB_OPTIONS } from './errors.ts'
import { shown } from './shown.ts'
import type { PubSubEvents } from './types.ts'

type Listener<Name extends keyof PubSubEvents> = (event: PubSubEvents[Name]) => unknown

/** What happens to the app as a node. */
export class Events {
  readonly #log: FastifyBaseLogger
  readonly #listeners = {
    nodeJoined: new Set<Listener<'nodeJoined'>>(),
    nodeLeft: new Set<Listener<'nodeLeft'>>(),
    gap: new Set<Listener<'gap'>>(),
  }

  constructor(log: FastifyBaseLogger) {
    this.#log = log
  }

  /** Answers how to stop it. */
  on<Name extends keyof PubSubEvents>(name: Name, listener: Listener<Name>): () => void {
    if (!Object.hasOwn(this.#listeners, name) || typeof listener !== 'function') {
      throw new AH_PUBSUB_OPTIONS(
        `on: expected "nodeJoined", "nodeLeft" or "gap" and a function, got ${shown(name)} and ${shown(listener)}`,
      )
    }
    // One of its own for each call, so that the same function can be given twice and taken back once.
    const own: Listener<Name> = (event) => listener(event)
    const listeners = this.#listeners[name] as Set<Listener<Name>>
    listeners.add(own)
    return () => void listeners.delete(own)
  }

  emit<Name extends keyof PubSubEvents>(name: Name, event: PubSubEvents[Name]): void {
    const fail = (thrown: unknown): void => this.#log.error({ err: toError(thrown), event: name }, 'a listener failed')
    for (const listener of this.#listeners[name] as Set<Listener<Name>>) {
      // A promise job of its own: whoever emits is in the middle of something.
      Promise.resolve(event).then(listener).catch(fail)
    }
  }
}
