// The door for websockets: who gets in, how they are kept alive, and how all are let go when the app ends.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { type Origins, refuseUpgrade, toError, type Upgrades, within } from 'fastify-ah-kit'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Connections } from '../connections.ts'
import type { ParsedRoomsOptions } from '../options.ts'
import type { Protocol } from '../protocol.ts'
import type { ConnectRequest, Identified } from '../types.ts'
import { Outflow } from './outflow.ts'
import { primusPing, primusPingMs } from './primus-frames.ts'
import { Rate } from './rate.ts'
import { Rounds } from './rounds.ts'
import { SocketLine } from './socket-line.ts'

type Settings = Pick<
  ParsedRoomsOptions,
  | 'path'
  | 'primusPath'
  | 'cookieKey'
  | 'maxRooms'
  | 'maxMessageBytes'
  | 'messagesPerSecond'
  | 'messageBurst'
  | 'maxUnsentBytes'
  | 'pingMs'
  | 'pongMs'
  | 'drainMs'
>

/** What it is made of. */
export interface SocketRouteOptions {
  readonly upgrades: Upgrades
  readonly settings: Settings
  readonly origins: Origins
  /** Of the client: behind a proxy, not that of the proxy. */
  readonly addressOf: (request: IncomingMessage) => string
  readonly identify: (request: ConnectRequest) => Promise<Identified | false>
  readonly connections: Connections
  readonly protocol: Protocol
  readonly log: FastifyBaseLogger
}

/** A websocket that is let in. */
interface Accepted {
  readonly isPrimus: boolean
  readonly socket: WebSocket
  readonly stream: Duplex
  readonly request: ConnectRequest
  readonly identified: Identified
}

const closeMs = 1_000
const mostFragments = 1_024
// How long the app may take to say who that is.
const identifyMs = 10_000
// How many are let go in one step of the drain.
const drainStepMs = 20
const leastDrainMsEach = 2
// Of what ActionHero's client says by itself, for each room that it may be in.
const routinesPerSecond = 2
const routineBurst = 10
const longestFingerprint = 256

export class SocketRoute {
  readonly #options: SocketRouteOptions
  readonly #sockets: WebSocketServer
  readonly #lines = new Set<SocketLine>()
  readonly #outflow = new Outflow()
  readonly #pings: Rounds<SocketLine>
  readonly #primusPings: Rounds<SocketLine>
  #leave: (() => void)[] = []
  #isClosing = false
  cut = 0
  /** Handshakes that were not let in. */
  refused = 0
  /** Messages that came faster than allowed. */
  tooFast = 0

  constructor(options: SocketRouteOptions) {
    this.#options = options
    const { pingMs, pongMs, maxMessageBytes } = options.settings
    this.#pings = new Rounds({ everyMs: pingMs, act: (line) => line.ping(pongMs) })
    this.#primusPings = new Rounds({
      everyMs: Math.min(pingMs, primusPingMs),
      act: (line) => line.push(primusPing(Date.now())),
    })
    const limits = {
      maxPayload: maxMessageBytes,
      maxFragments: mostFragments,
      closeTimeout: closeMs,
    }
    this.#sockets = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, ...limits })
  }

  open(): void {
    const { upgrades, settings } = this.#options
    const { path, primusPath } = settings
    this.#leave = [upgrades.take(path, (...upgrade) => this.#onUpgrade(false, ...upgrade))]
    this.#pings.start()
    if (primusPath === '') return
    this.#leave.push(upgrades.take(primusPath, (...upgrade) => this.#onUpgrade(true, ...upgrade)))
    this.#primusPings.start()
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
    this.#pings.stop()
    this.#primusPings.stop()
    for (const leave of this.#leave) leave()
    for (const line of this.#lines) line.terminate()
  }

  #onUpgrade(isPrimus: boolean, request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { origins, log } = this.#options
    if (this.#isClosing) refuseUpgrade(stream, '503 Service Unavailable')
    else if (!origins.allows(request)) {
      const { origin, host } = request.headers
      const why =
        origin === undefined ? 'it has no origin, see "allowMissingOrigin"' : 'its origin is not allowed, see "origins"'
      log.info({ origin, host }, `a websocket was refused: ${why}`)
      this.#forbid(stream)
    } else {
      this.#letIn(isPrimus, request, stream, head).catch((thrown: unknown) => {
        log.error({ err: toError(thrown) }, 'authorize.connect failed')
        refuseUpgrade(stream, '500 Internal Server Error')
      })
    }
  }

  async #letIn(isPrimus: boolean, request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    // ws listens to it once it is its own.
    const onError = (): void => void stream.destroy()
    stream.on('error', onError)
    const { headers, url = '', socket } = request
    const { remoteAddress } = socket
    const asked: ConnectRequest = { headers, url, ip: this.#options.addressOf(request), remoteAddress }
    const identified = await within(identifyMs, this.#options.identify(asked), () => {
      throw new Error(`it did not answer within ${identifyMs} ms`)
    })
    if (identified === false) this.#forbid(stream)
    else if (this.#isClosing) refuseUpgrade(stream, '503 Service Unavailable')
    else if (!stream.destroyed) {
      stream.off('error', onError)
      this.#sockets.handleUpgrade(request, stream, head, (socket) =>
        this.#accept({ isPrimus, socket, stream, request: asked, identified }),
      )
    }
  }

  #forbid(stream: Duplex): void {
    this.refused += 1
    refuseUpgrade(stream, '403 Forbidden')
  }

  #accept({ isPrimus, socket, stream, request, identified }: Accepted): void {
    const { settings, connections, protocol, log } = this.#options
    const { messagesPerSecond, messageBurst, maxMessageBytes, maxUnsentBytes, maxRooms } = settings
    const line = new SocketLine({
      socket,
      stream,
      routineRate: isPrimus ? new Rate(maxRooms * routinesPerSecond, maxRooms * routineBurst) : undefined,
      outflow: this.#outflow,
      rate: new Rate(messagesPerSecond, messageBurst),
      protocol,
      maxMessageBytes,
      maxUnsentBytes,
      log,
      onCut: () => {
        this.cut += 1
      },
      onTooFast: () => {
        this.tooFast += 1
      },
    })
    this.#lines.add(line)
    this.#pings.add(line)
    if (isPrimus) this.#primusPings.add(line)
    const connection = connections.open({
      request,
      identified,
      fingerprint: valueIn(request.url, settings.cookieKey),
      outlet: line,
    })
    line.serve(connection)
    socket.once('close', () => {
      this.#lines.delete(line)
      this.#pings.delete(line)
      this.#primusPings.delete(line)
      void connections.close(connection)
    })
  }
}

/** Of a parameter of the query. */
function valueIn(url: string, name: string): string | undefined {
  const at = url.indexOf('?')
  const value = at === -1 ? null : new URLSearchParams(url.slice(at)).get(name)
  return value === null || value === '' || value.length > longestFingerprint ? undefined : value
}
