// The unix socket, and all who are connected to it.

import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'
import { AH_EMBEDDED_LISTEN } from './errors.ts'

/** Listens on a path and hands each connection to `serve`. */
export class ClientServer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #serving = new Set<Promise<void>>()

  /** `serve` answers one client until it is gone, and never rejects. */
  constructor(serve: (socket: Socket) => Promise<void>) {
    // Half open: what a client sent before it closed its side is still answered.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket, serve))
  }

  /** Throws AH_EMBEDDED_LISTEN. */
  async listen(path: string): Promise<void> {
    const listening = once(this.#server, 'listening')
    // Bound before listen() returns, so the process has the narrow mask for no longer than that. The mask cannot be
    // changed in a worker thread; there the folder's mode alone keeps others out.
    const mask = isMainThread ? process.umask(0o077) : undefined
    try {
      // Not exclusive, a worker of node:cluster would have its primary listen.
      this.#server.listen({ path, exclusive: true })
    } finally {
      if (mask !== undefined) process.umask(mask)
    }
    try {
      await listening
    } catch (cause) {
      throw new AH_EMBEDDED_LISTEN(path, (cause as Error).message, { cause })
    }
    this.#server.on('error', warn)
    this.#server.unref()
  }

  /** Ends all connections. Resolves when nothing is left of them. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (this.#server.listening) {
      const closed = once(this.#server, 'close')
      this.#server.close()
      await closed
    }
    await Promise.all(this.#serving)
  }

  #accept(socket: Socket, serve: (socket: Socket) => Promise<void>): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    const serving = serve(socket).finally(() => this.#serving.delete(serving))
    this.#serving.add(serving)
  }
}

/** A connection that could not be accepted, such as for want of file descriptors: its client sees it too. */
function warn(error: Error): void {
  process.emitWarning(`the embedded store could not accept a connection: ${error.message}`, {
    code: 'AH_EMBEDDED_ACCEPT',
  })
}
