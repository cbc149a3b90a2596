// The connection: opened again and again, until it is closed for good.
import { addressOf, type Settings } from './options.ts'
import { page } from './page.ts'
import type { SocketLike } from './types.ts'

/** What it tells. */
export interface LinkListener {
  readonly onOpen: () => void
  readonly onText: (text: string) => void
  /** Nothing was heard for so long: it asks whether anybody is there, and {@link Link.drop}s it otherwise. */
  readonly onIdle: () => void
  readonly onLost: (code: number, reason: string) => void
  readonly onEnd: (code: number, reason: string) => void
}

const openState = 1
/** After these nobody comes again. */
const isFatal = (code: number): boolean =>
  [1000, 1002, 1003, 1007, 1009].includes(code) || (code >= 4400 && code < 4500)

/** Waits a random time up to a ceiling that doubles with each attempt: clients that were cut together come one by one. */
export class Link {
  readonly #url: URL
  readonly #options: Settings
  readonly #listener: LinkListener
  #socket: SocketLike | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #idle: ReturnType<typeof setTimeout> | undefined
  #attempts = 0
  readonly #ended = new AbortController()
  /** Of the attempt or connection; another one begins another. */
  #turn = 0
  #openedAt = 0
  isOpen = false
  isEnded = false
  /** Why there is no connection, as far as that is known. */
  failure = ''

  constructor(url: string, options: Settings, listener: LinkListener) {
    this.#url = addressOf(url)
    this.#options = options
    this.#listener = listener
    const { signal } = this.#ended
    // A socket whose network is gone would say so after minutes.
    page.addEventListener?.('offline', () => this.drop('the network is gone'), { signal })
    page.addEventListener?.('online', () => this.#hurry(), { signal })
  }

  readonly send = (text: string): void => {
    if (this.#socket?.readyState === openState) this.#socket.send(text)
  }

  /** Never rejects. */
  async open(): Promise<void> {
    const { token, WebSocket, timeoutMs } = this.#options
    const turn = this.#turn
    const mostMs = 2 * timeoutMs
    // Neither a token nor a connection may be waited for without end.
    this.#idle = setTimeout(() => this.#lose(1006, `no connection after ${mostMs} ms`), mostMs)
    try {
      const url = new URL(this.#url)
      if (token !== undefined) url.searchParams.set('token', await token())
      if (this.#turn !== turn) return
      const socket = new WebSocket(url.href)
      this.#socket = socket
      const on = <Event>(type: string, act: (event: Event) => void): void =>
        socket.addEventListener(type, (event: Event) => void (this.#turn === turn && act(event)))
      on('open', () => {
        this.isOpen = true
        this.failure = ''
        this.#openedAt = performance.now()
        this.#watch()
        this.#listener.onOpen()
      })
      on('message', ({ data }: { data: unknown }) => {
        this.#watch()
        this.#listener.onText(String(data))
      })
      on('error', ({ message = '' }: { message?: string }) => {
        this.failure = message
      })
      on('close', ({ code, reason }: { code: number; reason: string }) => this.#lose(code, reason || this.failure))
    } catch (thrown) {
      if (this.#turn === turn) this.#lose(1006, String(thrown))
    }
  }

  /** This connection is no good: another one. */
  drop(reason: string): void {
    if (this.isOpen) this.#lose(1006, reason)
  }

  /** For good. Twice is fine. */
  end(code: number, reason: string): void {
    if (this.isEnded) return
    this.isEnded = true
    const wasOpen = this.#leave(1000)
    clearTimeout(this.#retry)
    this.#ended.abort()
    if (wasOpen) this.#listener.onLost(code, reason)
    this.#listener.onEnd(code, reason)
  }

  #watch(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(this.#listener.onIdle, this.#options.idleMs)
  }

  /** Whether it was open. */
  #leave(code: number): boolean {
    const [socket, wasOpen] = [this.#socket, this.isOpen]
    this.#turn += 1
    this.#socket = undefined
    this.isOpen = false
    clearTimeout(this.#idle)
    socket?.close(code)
    return wasOpen
  }

  #lose(code: number, reason: string): void {
    const { minDelayMs, maxDelayMs } = this.#options
    const ceiling = (): number => Math.min(maxDelayMs, minDelayMs * 2 ** this.#attempts)
    const wasOpen = this.#leave(4000)
    this.failure = reason || `closed with ${code}`
    // A server that lets in and throws out again is not asked more often than one that lets nobody in.
    if (code === 1012 || (wasOpen && performance.now() - this.#openedAt > ceiling())) this.#attempts = 0
    if (wasOpen) this.#listener.onLost(code, reason)
    if (isFatal(code)) this.end(code, reason)
    if (this.isEnded) return
    const most = code === 1008 ? maxDelayMs : ceiling()
    this.#attempts += 1
    this.#openIn(Math.random() * most)
  }

  #openIn(ms: number): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      void this.open()
    }, ms)
  }

  /** The network is back: the wait for the next attempt, if that is what it is at, was for another one. */
  #hurry(): void {
    if (this.#retry === undefined || this.isEnded) return
    clearTimeout(this.#retry)
    this.#attempts = 0
    this.#openIn(Math.random() * this.#options.minDelayMs)
  }
}
