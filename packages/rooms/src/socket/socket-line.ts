// One websocket: what comes, what goes, and its end.
import type { Duplex } from 'node:stream'
import type { FastifyBaseLogger } from 'fastify'
import { within } from 'fastify-ah-kit'
import type { WebSocket } from 'ws'
import type { Connection, Outlet } from '../connection.ts'
import type { Parcel } from '../parcel.ts'
import type { Protocol } from '../protocol.ts'
import type { Outflow } from './outflow.ts'
import { isRoutine, primusClose, primusWord } from './primus-frames.ts'
import type { Rate } from './rate.ts'

/** What it works with. */
export interface SocketLineOptions {
  readonly socket: WebSocket
  /** That the websocket runs on: its frames are written here, made once for all who get them. */
  readonly stream: Duplex
  /** For peers that speak Primus' framing: how much of what ActionHero's client says by itself may come. */
  readonly routineRate: Rate | undefined
  readonly outflow: Outflow
  readonly rate: Rate
  readonly protocol: Pick<Protocol, 'hear' | 'refuse'>
  readonly maxMessageBytes: number
  readonly maxUnsentBytes: number
  readonly log: FastifyBaseLogger
  readonly onCut: () => void
  readonly onTooFast: () => void
}

/** Codes of RFC 6455, and of its registry. */
const codes = { unsupported: 1003, policy: 1008, restart: 1012 } as const
// Messages that wait for their turn; the peer is not read while there are so many.
const mostWaiting = 64
// What fragments may have for heads, and what may lie in one read: more than a message has, without one, is none.
const overheadBytes = 81_920
// How long an answer may take that is under way at the end.
const answerMs = 1_000
// What a peer may take to answer when it is told that this is the end.
const closeMs = 1_000
/** After these our own client does not come again; Primus' does not look at codes, and has to be told. */
const isForGood = (code: number): boolean =>
  code === 1000 || code === codes.unsupported || (code >= 4400 && code < 4500)

/** ws reads, checks and closes; what we send we write ourselves, between its frames: without compression it holds none back. */
export class SocketLine implements Outlet {
  readonly #options: SocketLineOptions
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #connection: Connection | undefined
  #open = 0
  /** That came since the last message, or the last ping of ours. */
  #bytes = 0
  #isAlive = true
  #draining: Promise<void> | undefined
  #isEnding = false

  constructor(options: SocketLineOptions) {
    this.#options = options
    const { socket, stream, log, maxMessageBytes, maxUnsentBytes } = options
    // ws counts the fragments that hold something, and no pings.
    stream.on('data', ({ length }: Buffer) => {
      this.#bytes += length
      // It is answered to pings too, which are no messages.
      if (stream.writableLength > maxUnsentBytes) this.#cut()
      if (this.#bytes > maxMessageBytes + overheadBytes && !this.#isEnding)
        this.close(codes.policy, 'no message in sight')
    })
    socket.on('message', (data, isBinary) => this.#hear(data as Buffer, isBinary))
    socket.on('pong', () => {
      this.#isAlive = true
    })
    socket.on('error', (error) => log.debug({ err: error }, 'a websocket has an error'))
  }

  get isPrimus(): boolean {
    return this.#options.routineRate !== undefined
  }

  /** Whose messages these are. */
  serve(connection: Connection): void {
    this.#connection = connection
  }

  push(parcel: Parcel): void {
    const { socket, stream, outflow, maxUnsentBytes } = this.#options
    if (socket.readyState !== socket.OPEN) return
    // So much for one turn: how much of it the peer takes is known when it is written.
    if (this.#waitingBytes > maxUnsentBytes / 2) this.flush()
    if (stream.writableLength > maxUnsentBytes) {
      this.#cut()
      return
    }
    const { frames } = parcel
    this.#waiting.push(frames)
    this.#waitingBytes += frames.length
    if (this.#waiting.length === 1) outflow.add(this)
  }

  readonly flush = (): void => {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    const { socket, stream } = this.#options
    if (socket.readyState !== socket.OPEN || waiting.length === 0) return
    if (waiting.length > 1) stream.cork()
    for (const frames of waiting) stream.write(frames)
    if (waiting.length > 1) stream.uncork()
  }

  close(code: number, reason: string): void {
    if (this.isPrimus && isForGood(code)) this.push(primusClose)
    // What it was told before that comes first.
    this.flush()
    this.#isEnding = true
    this.#options.socket.close(code, reason)
  }

  /** Half of what a reader may be behind leaves room for a file. */
  async drained(): Promise<void> {
    const { socket, stream, maxUnsentBytes } = this.#options
    this.flush()
    if (socket.readyState !== socket.OPEN || stream.writableLength <= maxUnsentBytes / 2) return
    // One for all who wait: each with listeners of its own would be warned of.
    this.#draining ??= new Promise<void>((resolve) => {
      const settle = (): void => {
        stream.off('drain', settle).off('close', settle)
        this.#draining = undefined
        resolve()
      }
      stream.on('drain', settle).on('close', settle)
    })
    await this.#draining
  }

  fits(bytes: number): boolean {
    const { stream, maxUnsentBytes } = this.#options
    if (this.#waitingBytes > 0) this.flush()
    return stream.writableLength + bytes <= maxUnsentBytes
  }

  /** Asks for a sign of life; cuts it if none has come after `pongMs`. */
  ping(pongMs: number): void {
    const { socket } = this.#options
    if (socket.readyState !== socket.OPEN) return
    this.#isAlive = false
    this.#bytes = 0
    socket.ping()
    // Had this process been busy for so long, the answer would be there and not read yet: it is read first.
    const look = (): void => {
      if (!this.#isAlive) this.terminate()
    }
    setTimeout(() => setImmediate(look), pongMs).unref()
  }

  /** Tells the client to come again elsewhere. Resolves when it is closed, in time whatever the peer does. */
  async end(): Promise<void> {
    const { socket } = this.#options
    if (socket.readyState === socket.CLOSED) return
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    // What it asked for is answered before; what it asks from now on is to be asked elsewhere.
    this.#isEnding = true
    await within(answerMs, this.#connection?.answered() ?? Promise.resolve(), () => undefined)
    // Its goodbye has to be heard.
    socket.resume()
    this.close(codes.restart, 'the server restarts')
    const patience = setTimeout(() => this.terminate(), closeMs)
    await closed
    clearTimeout(patience)
  }

  terminate(): void {
    this.#isEnding = true
    this.#options.socket.terminate()
  }

  #cut(): void {
    const { stream, log, onCut } = this.#options
    if (this.#isEnding && stream.destroyed) return
    log.info({ bytes: stream.writableLength }, 'a client does not read: its websocket is cut')
    onCut()
    this.terminate()
  }

  #hear(data: Buffer, isBinary: boolean): void {
    const { rate, routineRate, protocol, onTooFast } = this.#options
    const connection = this.#connection
    this.#bytes = 0
    if (this.#isEnding || connection === undefined) return
    if (isBinary) {
      this.close(codes.unsupported, 'messages are texts')
      return
    }
    const text = data.toString()
    const own = routineRate !== undefined && isRoutine(text, connection.memberOf) ? routineRate : rate
    const verdict = own.take()
    if (verdict !== 'pass') onTooFast()
    if (verdict === 'refuse') {
      // That client takes each answer to its own questions for what it asked for.
      if (own === rate) protocol.refuse(connection, text)
    } else if (verdict === 'pass') this.#take(connection, text)
    else {
      // What was taken before is answered first, if the app answers.
      this.#isEnding = true
      void within(closeMs, connection.turn, () => undefined).then(() => this.close(codes.policy, 'too many messages'))
    }
  }

  #take(connection: Connection, text: string): void {
    const { socket, protocol } = this.#options
    const word = this.isPrimus ? primusWord(text, connection.id) : undefined
    if (word !== undefined) {
      if (word.answer !== undefined) this.push(word.answer)
      return
    }
    this.#open += 1
    if (this.#open >= mostWaiting) socket.pause()
    void protocol.hear(connection, text).then(() => {
      this.#open -= 1
      if (socket.isPaused && !this.#isEnding) socket.resume()
    })
  }
}
