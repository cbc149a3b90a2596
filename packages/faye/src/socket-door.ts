// Websockets: takes upgrades of the path, and ends them all when the app ends.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyBaseLogger } from 'fastify'
import { WebSocketServer } from 'ws'
import type { Bayeux } from './bayeux.ts'
import type { Origins } from './origins.ts'
import { SocketLine } from './socket-line.ts'

/** What it is made of. */
export interface SocketDoorOptions {
  readonly server: Server
  readonly path: string
  readonly bayeux: Bayeux
  readonly origins: Origins
  readonly maxMessageBytes: number
  readonly maxUnsentBytes: number
  readonly log: FastifyBaseLogger
}

const pingMs = 25_000
// What a peer may take to answer when it is told that this is the end.
const closeMs = 1_000
const mostFragments = 1_024

/** Other upgrades are other plugins' business, unless there are none. */
export class SocketDoor {
  readonly #options: SocketDoorOptions
  readonly #sockets: WebSocketServer
  readonly #lines = new Set<SocketLine>()
  #pings: NodeJS.Timeout | undefined
  #isClosing = false

  constructor(options: SocketDoorOptions) {
    this.#options = options
    const limits = { maxPayload: options.maxMessageBytes, maxFragments: mostFragments, closeTimeout: closeMs }
    this.#sockets = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, ...limits })
  }

  /** Open websockets. */
  get size(): number {
    return this.#lines.size
  }

  open(): void {
    this.#options.server.on('upgrade', this.#onUpgrade)
    this.#pings = setInterval(() => {
      for (const line of this.#lines) line.ping()
    }, pingMs)
    this.#pings.unref()
  }

  /** Takes no more, lets what is under way be answered, and closes all. Ends in time whatever the peers do. Twice is fine. */
  async drain(): Promise<void> {
    this.#isClosing = true
    await Promise.all([...this.#lines].map((line) => line.end(closeMs)))
  }

  close(): void {
    clearInterval(this.#pings)
    this.#options.server.off('upgrade', this.#onUpgrade)
    for (const line of this.#lines) line.terminate()
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const { path, server, origins } = this.#options
    const [asked] = (request.url ?? '').split('?')
    if (asked !== path && asked !== `${path}/`) {
      if (server.listenerCount('upgrade') === 1) refuse(socket, '404 Not Found')
    } else if (this.#isClosing) refuse(socket, '503 Service Unavailable')
    else if (!origins.allows(request.headers)) refuse(socket, '403 Forbidden')
    else this.#sockets.handleUpgrade(request, socket, head, (accepted) => this.#accept(accepted, request))
  }

  #accept(socket: ConstructorParameters<typeof SocketLine>[0], request: IncomingMessage): void {
    const { bayeux, maxMessageBytes, maxUnsentBytes, log } = this.#options
    const line = new SocketLine(socket, request, { bayeux, maxMessageBytes, maxUnsentBytes, log })
    this.#lines.add(line)
    socket.once('close', () => this.#lines.delete(line))
  }
}

/** The answer of a server to an upgrade that it does not make. */
function refuse(socket: Duplex, status: ServerResponse['statusMessage']): void {
  // A peer that resets the connection meanwhile must not end the process.
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
