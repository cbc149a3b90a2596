// One client's socket, as the transport that js-redis-server's session adapter reads and writes.

import type { Socket } from 'node:net'
import type {
  ConnectionTransport,
  ConnectionTransportEvent,
  ConnectionTransportListener,
  ConnectionTransportUnsubscribe,
} from 'js-redis-server/core'

/** Bytes that were received and not yet looked at; a client that sends more has to wait. */
const MAX_UNREAD_BYTES = 1 << 20

/**
 * js-redis-server's own transport learns that a client is gone only when it reads on, and it does not read while a
 * command blocks: BLPOP of a client that was killed stayed, took the next element and lost it. It also writes each reply
 * on its own and waits for it, where this one sends the replies of one turn of the event loop together.
 */
export class ClientTransport implements ConnectionTransport {
  readonly id: string
  readonly #socket: Socket
  readonly #left = new AbortController()
  readonly #closed = new AbortController()
  readonly #waiting = new Set<() => void>()
  #chunks: Buffer[] = []
  #unreadBytes = 0
  #isCorked = false

  constructor(id: string, socket: Socket) {
    this.id = id
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('drain', () => this.#wake())
    socket.on('end', () => this.#leave())
    // Why a connection broke does not matter to anybody here; without a listener it would end the process.
    socket.on('error', () => this.#leave())
    socket.on('close', () => this.close())
  }

  /** Aborted when the client has sent its last byte: nothing may be taken on its behalf any more. */
  get left(): AbortSignal {
    return this.#left.signal
  }

  /** Aborted when replies can no longer reach the client. */
  get signal(): AbortSignal {
    return this.#closed.signal
  }

  async *read(): AsyncIterable<Buffer> {
    while (!this.#closed.signal.aborted) {
      if (this.#chunks.length > 0) yield this.#takeChunks()
      else if (this.#left.signal.aborted) return
      else await this.#change()
    }
  }

  async write(chunk: Buffer): Promise<void> {
    if (!this.#socket.writable) return
    this.#cork()
    this.#socket.write(chunk)
    while (this.#socket.writableNeedDrain && !this.#closed.signal.aborted) await this.#change()
  }

  close(): void {
    this.#leave()
    this.#closed.abort()
    this.#wake()
    this.#socket.destroySoon()
  }

  on(event: ConnectionTransportEvent, listener: ConnectionTransportListener): ConnectionTransportUnsubscribe {
    this.#socket.on(event, listener)
    return () => this.#socket.off(event, listener)
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#unreadBytes += chunk.length
    if (this.#unreadBytes > MAX_UNREAD_BYTES) this.#socket.pause()
    this.#wake()
  }

  #takeChunks(): Buffer {
    const chunks = this.#chunks
    this.#chunks = []
    this.#unreadBytes = 0
    this.#socket.resume()
    return Buffer.concat(chunks)
  }

  #cork(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#socket.cork()
    process.nextTick(() => {
      this.#isCorked = false
      this.#socket.uncork()
    })
  }

  #leave(): void {
    this.#left.abort()
    this.#wake()
  }

  /** Resolves when something came, was sent, or ended. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
