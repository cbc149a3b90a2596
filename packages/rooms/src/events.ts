// Who wants to hear of connections and members, and who answers clients' events.
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import { AH_ROOMS_OPTIONS } from './errors.ts'
import { shown } from './shown.ts'
import type { EventHandler, RoomsEvents } from './types.ts'

type Listener<Name extends keyof RoomsEvents> = (event: RoomsEvents[Name]) => unknown

/** Names that are not those of clients' events. */
const ownNames = ['connection', 'disconnect', 'join', 'leave'] as const

/** One handler for each event of clients, any number of listeners for ours. */
export class Events {
  readonly #log: FastifyBaseLogger
  readonly #listeners = new Map<string, Set<(event: never) => unknown>>(ownNames.map((name) => [name, new Set()]))
  readonly #handlers = new Map<string, EventHandler>()

  constructor(log: FastifyBaseLogger) {
    this.#log = log
  }

  /** Answers how to stop it. */
  on(name: string, listener: (...args: never[]) => unknown): () => void {
    if (typeof name !== 'string' || name === '' || typeof listener !== 'function') {
      throw new AH_ROOMS_OPTIONS(`on: expected a name and a function, got ${shown(name)} and ${shown(listener)}`)
    }
    const listeners = this.#listeners.get(name)
    if (listeners === undefined) return this.#handle(name, listener as EventHandler)
    // One of its own for each call, so that the same function can be given twice and taken back once.
    const own = (event: never): unknown => listener(event)
    listeners.add(own)
    return () => void listeners.delete(own)
  }

  /** What answers a client's event. */
  handlerOf(name: string): EventHandler | undefined {
    return this.#handlers.get(name)
  }

  emit<Name extends keyof RoomsEvents>(name: Name, event: RoomsEvents[Name]): void {
    const fail = (thrown: unknown): void => this.#log.error({ err: toError(thrown), event: name }, 'a listener failed')
    for (const listener of (this.#listeners.get(name) ?? []) as Set<Listener<Name>>) {
      // A promise job of its own: whoever emits is in the middle of something.
      Promise.resolve(event).then(listener).catch(fail)
    }
  }

  #handle(name: string, handler: EventHandler): () => void {
    if (this.#handlers.has(name)) throw new AH_ROOMS_OPTIONS(`on: the event ${shown(name)} is answered already`)
    this.#handlers.set(name, handler)
    return () => {
      if (this.#handlers.get(name) === handler) this.#handlers.delete(name)
    }
  }
}
