// The door for websockets: who gets in, how they are kept alive, and how all are let go when the app ends.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { refuseUpgrade, toError, type Upgrades, within } from 'fastify-ah-kit'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Connections } from '../connections.ts'
import type { ParsedRoomsOptions } from '../options.ts'
import type { Protocol } from '../protocol.ts'
import type { ConnectRequest, Identified } from '../types.ts'
import type { Origins } from './origins.ts'
import { Outflow } from './outflow.ts'
import { Rate } from './rate.ts'
import { SocketLine } from './socket-line.ts'

type Settings = Pick<
  ParsedRoomsOptions,
  'path' | 'maxMessageBytes' | 'messagesPerSecond' | 'messageBurst' | 'maxUnsentBytes' | 'pingMs' | 'pongMs' | 'drainMs'
>

/** What it is made of. */
export interface SocketRouteOptions {
  readonly upgrades: Upgrades
  readonly settings: Settings
  readonly origins: Origins
  readonly identify: (request: ConnectRequest) => Promise<Identified | false>
  readonly connections: Connections
  readonly protocol: Protocol
  readonly log: FastifyBaseLogger
}

const closeMs = 1_000
const mostFragments = 1_024
// How long the app may take to say who that is.
const identifyMs = 10_000
// How many are let go in one step of the drain.
const drainStepMs = 20
const leastDrainMsEach = 2

export class SocketRoute {
  readonly #options: SocketRouteOptions
  readonly #sockets: WebSocketServer
  readonly #lines = new Set<SocketLine>()
  readonly #outflow = new Outflow()
  #pings: NodeJS.Timeout | undefined
  #leave: (() => void) | undefined
  #isClosing = false
  cut = 0

  constructor(options: SocketRouteOptions) {
    this.#options = options
    const limits = {
      maxPayload: options.settings.maxMessageBytes,
      maxFragments: mostFragments,
      closeTimeout: closeMs,
    }
    this.#sockets = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, ...limits })
  }

  open(): void {
    const { upgrades, settings } = this.#options
    this.#leave = upgrades.take(settings.path, this.#onUpgrade)
    this.#pings = setInterval(() => {
      for (const line of this.#lines) line.ping(settings.pongMs)
    }, settings.pingMs)
    this.#pings.unref()
  }

  /** Takes no more, and closes all, spread over the window, so that they do not all come again in one moment. */
  async drain(): Promise<void> {
    this.#isClosing = true
    const lines = [...this.#lines]
    const windowMs = Math.min(this.#options.settings.drainMs, lines.length * leastDrainMsEach)
    const each = Math.max(1, Math.ceil(lines.length / Math.max(1, windowMs / drainStepMs)))
    const ended: Promise<void>[] = []
    for (let at = 0; at < lines.length; at += each) {
      if (at > 0) await sleep(drainStepMs)
      for (const line of lines.slice(at, at + each)) ended.push(line.end())
    }
    await Promise.all(ended)
  }

  close(): void {
    this.#isClosing = true
    clearInterval(this.#pings)
    this.#leave?.()
    for (const line of this.#lines) line.terminate()
  }

  readonly #onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const { origins, log } = this.#options
    if (this.#isClosing) refuseUpgrade(stream, '503 Service Unavailable')
    else if (!origins.allows(request)) refuseUpgrade(stream, '403 Forbidden')
    else {
      this.#letIn(request, stream, head).catch((thrown: unknown) => {
        log.error({ err: toError(thrown) }, 'authorize.connect failed')
        refuseUpgrade(stream, '500 Internal Server Error')
      })
    }
  }

  async #letIn(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    // ws listens to it once it is its own.
    const onError = (): void => void stream.destroy()
    stream.on('error', onError)
    const { headers, url = '', socket } = request
    const asked: ConnectRequest = { headers, url, ip: socket.remoteAddress ?? '' }
    const identified = await within(identifyMs, this.#options.identify(asked), () => {
      throw new Error(`it did not answer within ${identifyMs} ms`)
    })
    if (identified === false) refuseUpgrade(stream, '403 Forbidden')
    else if (this.#isClosing) refuseUpgrade(stream, '503 Service Unavailable')
    else if (!stream.destroyed) {
      stream.off('error', onError)
      this.#sockets.handleUpgrade(request, stream, head, (socket) => this.#accept(socket, stream, asked, identified))
    }
  }

  #accept(socket: WebSocket, stream: Duplex, request: ConnectRequest, identified: Identified): void {
    const { settings, connections, protocol, log } = this.#options
    const { messagesPerSecond, messageBurst, maxMessageBytes, maxUnsentBytes } = settings
    const line = new SocketLine({
      socket,
      stream,
      outflow: this.#outflow,
      rate: new Rate(messagesPerSecond, messageBurst),
      protocol,
      maxMessageBytes,
      maxUnsentBytes,
      log,
      onCut: () => {
        this.cut += 1
      },
    })
    this.#lines.add(line)
    const connection = connections.open({ request, identified, outlet: line })
    line.serve(connection)
    socket.once('close', () => {
      this.#lines.delete(line)
      void connections.close(connection)
    })
  }
}
