// Owns the TCP proxy that breaks connections in the ways in which networks break them.
import { once } from 'node:events'
import { createServer, type NetConnectOpts, type Server } from 'node:net'
import { AnswerCutter, type CutAnswersOptions } from './answer-cutter.ts'
import { Gate } from './gate.ts'
import { HeldAnswer } from './held-answer.ts'
import { freePort } from './port.ts'
import { ProxiedConnection, type Weather } from './proxied-connection.ts'
import { atEnd, type TestScope } from './scope.ts'

/** Where the proxy connects to. A `RedisServer` is one. */
export type ProxyTarget = { host: string; port: number; url?: string } | { path: string; url?: string }

export interface ProxyOptions {
  target: ProxyTarget
}

/** A proxy on 127.0.0.1 that passes everything until told otherwise. */
export interface TcpProxy {
  readonly host: string
  readonly port: number
  /** The target's `url` with the proxy's host and port; `redis://127.0.0.1:<port>` when the target has none. */
  readonly url: string
  /** How many connections are open now. */
  readonly connections: number
  /** How many connections came since the start. */
  readonly accepted: number
  /** Destroys every connection with a reset, on both sides; new ones are accepted. Answers how many it cut. */
  cut(): number
  /** New connections are refused; those that are open stay. */
  refuse(): void
  /** Takes back {@link refuse}. */
  accept(): Promise<void>
  /** From now on every byte arrives this much later, in both directions. 0 takes it back. */
  delay(ms: number): void
  /** Black hole: sockets stay open, nothing passes either way, new connections are accepted and swallowed too. */
  swallow(): void
  /** Takes back {@link swallow} and {@link cutAnswers}; what was swallowed arrives, as when a real network recovers. */
  pass(): void
  /**
   * Lets the next request that `after` names through, waits until the target has answered exactly that one, drops the
   * answer and closes the connection: what it asked for was done, and its sender cannot know. Answers before it arrive.
   * Connections in RESP2's subscriber mode are not to be named: there answers cannot be told from messages.
   *
   * @returns how many were cut: `times`, or fewer when {@link pass} or {@link close} came before.
   */
  cutAnswers(options?: CutAnswersOptions): Promise<number>
  /**
   * Lets the next command that `after` names through, and keeps its answer: resolves when that has come, with the function
   * that lets it go on. Answers behind it on the same connection wait too; other connections do not.
   */
  holdAnswer(after: (parts: string[]) => boolean): Promise<() => void>
  /** Cuts all connections and stops listening. Twice is fine. */
  close(): Promise<void>
}

const HOST = '127.0.0.1'

/** Starts a proxy in this process. */
export async function startProxy(options: ProxyOptions, scope?: TestScope): Promise<TcpProxy> {
  const proxy = new OwnedProxy(options.target, await freePort())
  await proxy.accept()
  atEnd(scope, () => proxy.close())
  return proxy
}

class OwnedProxy implements TcpProxy, Weather {
  readonly host = HOST
  readonly port: number
  readonly #target: ProxyTarget
  readonly #open = new Set<ProxiedConnection>()
  readonly gate = new Gate()
  delayMs = 0
  #server: Server | undefined
  #accepted = 0
  #cutter: AnswerCutter | undefined
  #holder: HeldAnswer | undefined

  constructor(target: ProxyTarget, port: number) {
    this.#target = target
    this.port = port
  }

  get url(): string {
    const url = new URL(this.#target.url ?? 'redis://placeholder')
    url.hostname = HOST
    url.port = String(this.port)
    return url.href
  }

  get connections(): number {
    return this.#open.size
  }

  get accepted(): number {
    return this.#accepted
  }

  cut(): number {
    const cut = this.#open.size
    for (const connection of this.#open) connection.cut()
    return cut
  }

  refuse(): void {
    this.#server?.close()
    this.#server = undefined
  }

  async accept(): Promise<void> {
    if (this.#server) return
    // Half-open, so that the end of one side reaches the other as an end and not as a close of both.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#accepted++
      const connection = new ProxiedConnection(client, this.#connectOptions(), this)
      this.#open.add(connection)
      connection.onClose(() => this.#open.delete(connection))
    })
    this.#server.listen(this.port, HOST)
    await once(this.#server, 'listening')
  }

  delay(ms: number): void {
    this.delayMs = ms
  }

  swallow(): void {
    this.gate.shut()
  }

  pass(): void {
    this.gate.open()
    this.#cutter?.end()
    this.#cutter = undefined
  }

  cutAnswers(options: CutAnswersOptions = {}): Promise<number> {
    this.#cutter?.end()
    this.#cutter = new AnswerCutter(options)
    return this.#cutter.done
  }

  cutterOf(request: Buffer): AnswerCutter | undefined {
    return this.#cutter?.take(request) ? this.#cutter : undefined
  }

  holdAnswer(after: (parts: string[]) => boolean): Promise<() => void> {
    this.#holder = new HeldAnswer(after)
    return this.#holder.held
  }

  holderOf(request: Buffer): HeldAnswer | undefined {
    return this.#holder?.take(request) ? this.#holder : undefined
  }

  async close(): Promise<void> {
    this.refuse()
    this.cut()
    this.pass()
  }

  #connectOptions(): NetConnectOpts {
    const target = this.#target
    return 'path' in target ? { path: target.path } : { host: target.host, port: target.port }
  }
}
