// One websocket: frames in, replies and messages out.
import type { IncomingMessage } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import type { WebSocket } from 'ws'
import { type Bayeux, bayeuxError } from './bayeux.ts'
import { messagesIn } from './incoming.ts'
import type { Peer } from './types.ts'

/** What it works with. */
export interface SocketLineOptions {
  readonly bayeux: Bayeux
  /** Of the client: behind a proxy, not that of the proxy. */
  readonly addressOf: (request: IncomingMessage) => string
  readonly maxMessageBytes: number
  readonly maxUnsentBytes: number
  readonly log: FastifyBaseLogger
}

/** Codes of RFC 6455, and of its registry. */
const codes = { goingAway: 1001, unsupported: 1003, policy: 1008, restart: 1012 } as const
// Frames that wait for their replies; the peer is not read while there are so many. Each client has one connect among them.
const mostOpen = 64
// What one read may bring, and what frames are wrapped in.
const spareBytes = 262_144
const noMessage = JSON.stringify({ successful: false, error: bayeuxError.badRequest() })

export class SocketLine {
  readonly #socket: WebSocket
  readonly #options: SocketLineOptions
  readonly #peer: Peer
  readonly #gone = new AbortController()
  /** Frames that have no reply yet. */
  #open = 0
  /** Of these, those whose reply does not wait for something to tell. */
  #unanswered = 0
  #onAnswered: (() => void) | undefined
  #bytesSinceMessage = 0
  #isAlive = true
  #isEnding = false

  constructor(socket: WebSocket, request: IncomingMessage, options: SocketLineOptions) {
    this.#socket = socket
    this.#options = options
    const gone = this.#gone
    const { headers, url = '' } = request
    this.#peer = {
      request: { headers, url, ip: options.addressOf(request), raw: request },
      socket: { send: (texts) => this.#send(texts), close: () => this.#close(codes.goingAway) },
      gone: gone.signal,
    }
    socket.on('message', (data, isBinary) => {
      this.#bytesSinceMessage = 0
      this.#hear(data as Buffer, isBinary)
    })
    socket.on('pong', () => {
      this.#isAlive = true
    })
    request.socket.on('data', ({ length }: Buffer) => this.#count(length))
    socket.on('error', (error) => options.log.debug({ err: error }, 'a websocket of a faye client has an error'))
    socket.once('close', () => {
      gone.abort()
      this.#onAnswered?.()
    })
  }

  /** Cuts a peer that has not answered the last one. */
  ping(): void {
    if (!this.#isAlive) {
      this.terminate()
      return
    }
    this.#isAlive = false
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
  }

  /** Reads no more, has what was read answered, and closes. */
  async end(withinMs: number): Promise<void> {
    this.#isEnding = true
    this.#socket.pause()
    await this.#answered(withinMs)
    // It has to hear the peer's goodbye.
    this.#socket.resume()
    const { readyState, CLOSED } = this.#socket
    if (readyState === CLOSED) return
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    this.#close(codes.restart)
    await closed
  }

  terminate(): void {
    this.#gone.abort()
    this.#socket.terminate()
  }

  /** From now on messages wait for the client's next connection. */
  #close(code: number, reason?: string): void {
    this.#gone.abort()
    this.#socket.close(code, reason)
  }

  /** Empty pieces of a message that never ends have no length, and would be read for ever. */
  #count(bytes: number): void {
    this.#bytesSinceMessage += bytes
    if (this.#bytesSinceMessage <= 2 * this.#options.maxMessageBytes + spareBytes) return
    this.#bytesSinceMessage = 0
    this.#close(codes.policy, 'no message in all that')
  }

  #hear(data: Buffer, isBinary: boolean): void {
    // Frames that were parsed before the pause: the client sends them again elsewhere, since nobody answers.
    if (this.#isEnding) return
    if (isBinary) {
      this.#close(codes.unsupported, 'messages are texts')
      return
    }
    const messages = messagesIn(data.toString())
    if (messages === undefined) {
      this.#send([noMessage])
      return
    }
    this.#answer(messages).catch((thrown: unknown) => {
      this.#options.log.error({ err: toError(thrown) }, 'messages of a faye client have no answer')
      this.terminate()
    })
  }

  async #answer(messages: Parameters<Bayeux['answer']>[0]): Promise<void> {
    const isConnect = messages.some(({ channel }) => channel === '/meta/connect')
    this.#note(1, isConnect)
    try {
      const replies = await this.#options.bayeux.answer(messages, this.#peer)
      if (replies.length > 0) this.#send(replies.map((reply) => JSON.stringify(reply)))
    } finally {
      this.#note(-1, isConnect)
    }
  }

  #note(more: 1 | -1, isConnect: boolean): void {
    this.#open += more
    if (!isConnect) this.#unanswered += more
    if (this.#unanswered === 0) this.#onAnswered?.()
    if (this.#isEnding) return
    if (this.#open >= mostOpen) this.#socket.pause()
    else if (this.#socket.isPaused) this.#socket.resume()
  }

  #answered(withinMs: number): Promise<void> {
    if (this.#unanswered === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.#onAnswered = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #send(texts: readonly string[]): boolean {
    const { OPEN, readyState, bufferedAmount } = this.#socket
    if (readyState !== OPEN) return false
    if (bufferedAmount > this.#options.maxUnsentBytes) {
      this.#options.log.info({ bytes: bufferedAmount }, 'a faye client does not read: its websocket is cut')
      this.terminate()
      return false
    }
    this.#socket.send(`[${texts.join(',')}]`)
    return true
  }
}
