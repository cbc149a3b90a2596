// The connection: opened again and again, until it is closed for good.
import { page } from './page.ts'
import type { ConnectOptions, SocketLike } from './types.ts'

/** What it tells. */
export interface LinkListener {
  readonly onOpen: () => void
  readonly onText: (text: string) => void
  /** Nothing was heard for so long: it asks whether anybody is there, and {@link Link.drop}s it otherwise. */
  readonly onIdle: () => void
  readonly onLost: (code: number, reason: string) => void
  readonly onEnd: (code: number, reason: string) => void
}

/** The options with their defaults. */
export type LinkOptions = Required<Omit<ConnectOptions, 'token'>> & Pick<ConnectOptions, 'token'>

const openState = 1
/** After these nobody comes again. */
const isFatal = (code: number): boolean =>
  [1000, 1002, 1003, 1007, 1009].includes(code) || (code >= 4400 && code < 4500)

/** Waits a random time up to a ceiling that doubles with each attempt: clients that were cut together come one by one. */
export class Link {
  readonly #url: string
  readonly #options: LinkOptions
  readonly #listener: LinkListener
  #socket: SocketLike | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #idle: ReturnType<typeof setTimeout> | undefined
  #attempts = 0
  readonly #ended = new AbortController()
  isOpen = false
  isEnded = false

  constructor(url: string, options: LinkOptions, listener: LinkListener) {
    this.#url = url
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
    const { token, WebSocket } = this.#options
    try {
      const url = new URL(this.#url, page.location?.href)
      url.protocol = url.protocol.replace('http', 'ws')
      if (token !== undefined) url.searchParams.set('token', await token())
      if (this.isEnded) return
      const socket = new WebSocket(url.href)
      this.#socket = socket
      const on = <Event>(type: string, act: (event: Event) => void): void =>
        socket.addEventListener(type, (event: Event) => void (this.#socket === socket && act(event)))
      on('open', () => {
        this.isOpen = true
        this.#watch()
        this.#listener.onOpen()
      })
      on('message', ({ data }: { data: unknown }) => {
        this.#attempts = 0
        this.#watch()
        this.#listener.onText(String(data))
      })
      on('error', () => undefined)
      on('close', ({ code, reason }: { code: number; reason: string }) => this.#lose(code, reason))
    } catch (thrown) {
      this.#lose(1006, String(thrown))
    }
  }

  /** This connection is no good: another one. */
  drop(reason: string): void {
    if (!this.isOpen) return
    this.#socket?.close(4000, reason)
    this.#lose(1006, reason)
  }

  /** For good. Twice is fine. */
  end(code: number, reason: string): void {
    if (this.isEnded) return
    this.isEnded = true
    const [socket, wasOpen] = [this.#socket, this.isOpen]
    this.#socket = undefined
    this.isOpen = false
    clearTimeout(this.#retry)
    clearTimeout(this.#idle)
    this.#ended.abort()
    socket?.close(1000)
    if (wasOpen) this.#listener.onLost(code, reason)
    this.#listener.onEnd(code, reason)
  }

  #watch(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(this.#listener.onIdle, this.#options.idleMs)
  }

  #lose(code: number, reason: string): void {
    const wasOpen = this.isOpen
    this.isOpen = false
    this.#socket = undefined
    clearTimeout(this.#idle)
    if (wasOpen) this.#listener.onLost(code, reason)
    if (isFatal(code)) this.end(code, reason)
    if (this.isEnded) return
    const { minDelayMs, maxDelayMs } = this.#options
    if (code === 1012) this.#attempts = 0
    const most = code === 1008 ? maxDelayMs : Math.min(maxDelayMs, minDelayMs * 2 ** this.#attempts)
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
