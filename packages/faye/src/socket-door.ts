// Websockets: takes upgrades of the path, and ends them all when the app ends.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyBaseLogger } from 'fastify'
import { type Origins, refuseUpgrade, type Upgrades } from 'fastify-ah-kit'
import { WebSocketServer } from 'ws'
import type { Bayeux } from './bayeux.ts'
import { SocketLine } from './socket-line.ts'

/** What it is made of. */
export interface SocketDoorOptions {
  readonly upgrades: Upgrades
  readonly path: string
  readonly bayeux: Bayeux
  /** Of the client: behind a proxy, not that of the proxy. */
  readonly addressOf: (request: IncomingMessage) => string
  readonly origins: Origins
  readonly maxMessageBytes: number
  readonly maxUnsentBytes: number
  readonly log: FastifyBaseLogger
}

const pingMs = 25_000
// What a peer may take to answer when it is told that this is the end.
const closeMs = 1_000
const mostFragments = 1_024

export class SocketDoor {
  readonly #options: SocketDoorOptions
  readonly #sockets: WebSocketServer
  readonly #lines = new Set<SocketLine>()
  #pings: NodeJS.Timeout | undefined
  #leave: (() => void) | undefined
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
    const { upgrades, path } = this.#options
    this.#leave = upgrades.take(path, this.#onUpgrade)
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
    this.#leave?.()
    for (const line of this.#lines) line.terminate()
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const { origins } = this.#options
    if (this.#isClosing) refuseUpgrade(socket, '503 Service Unavailable')
    else if (!origins.allows(request)) refuseUpgrade(socket, '403 Forbidden')
    else this.#sockets.handleUpgrade(request, socket, head, (accepted) => this.#accept(accepted, request))
  }

  #accept(socket: ConstructorParameters<typeof SocketLine>[0], request: IncomingMessage): void {
    const { bayeux, addressOf, maxMessageBytes, maxUnsentBytes, log } = this.#options
    const line = new SocketLine(socket, request, { bayeux, addressOf, maxMessageBytes, maxUnsentBytes, log })
    this.#lines.add(line)
    socket.once('close', () => this.#lines.delete(line))
  }
}
