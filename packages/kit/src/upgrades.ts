// The upgrades of an app's server: each goes to whom its path belongs, one that belongs to nobody is refused.
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { AH_KIT_UPGRADE_TAKEN } from './errors.ts'
import { oncePerApp } from './root.ts'

/** Takes the connection of a request for another protocol: answers it, or refuses it by {@link refuseUpgrade}. */
export type UpgradeHandler = (request: IncomingMessage, stream: Duplex, head: Buffer) => void

/**
 * One per app, found by `upgradesOf(app)` from any scope. Each plugin with a listener of its own could not tell an upgrade
 * that is another's from one that is nobody's, whose connection would stay open for ever.
 */
export class Upgrades {
  readonly #server: Server
  readonly #handlers = new Map<string, UpgradeHandler>()

  constructor(server: Server) {
    this.#server = server
  }

  /**
   * Gives `handler` the upgrades of a path, with or without a slash at its end; answers how to end that. Throws
   * `AH_KIT_UPGRADE_TAKEN` if it belongs to somebody.
   */
  take(path: string, handler: UpgradeHandler): () => void {
    if (this.#handlers.has(path)) throw new AH_KIT_UPGRADE_TAKEN(path)
    if (this.#handlers.size === 0) this.#server.on('upgrade', this.#onUpgrade)
    this.#handlers.set(path, handler)
    return () => {
      if (this.#handlers.get(path) !== handler) return
      this.#handlers.delete(path)
      if (this.#handlers.size === 0) this.#server.off('upgrade', this.#onUpgrade)
    }
  }

  readonly #onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const [asked = ''] = (request.url ?? '').split('?')
    const handler = this.#handlers.get(asked) ?? this.#handlers.get(asked.replace(/\/$/, ''))
    if (handler !== undefined) handler(request, stream, head)
    // Others may listen beside us, @fastify/websocket for one: then it is theirs to answer.
    else if (this.#server.listenerCount('upgrade') === 1) refuseUpgrade(stream, '404 Not Found')
  }
}

/** The upgrades of the app that `instance` belongs to. */
export function upgradesOf(instance: FastifyInstance): Upgrades {
  return oncePerApp(instance, 'upgrades', ({ server }) => new Upgrades(server as Server))
}

/** Answers an upgrade that is not made with a status as in `404 Not Found`, and ends its connection. */
export function refuseUpgrade(stream: Duplex, status: string): void {
  // A peer that resets the connection meanwhile must not end the process.
  stream.on('error', () => stream.destroy())
  if (!stream.destroyed) stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
