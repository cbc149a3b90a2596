// The port on which metrics and health are shown: nothing else is there, and nobody is asked who he is.
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toError } from 'fastify-ah-kit'
import type { Registry } from 'prom-client'

/** What is shown. */
export interface Shown {
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  readonly registry: () => Promise<Registry>
  readonly health: () => Promise<Health>
  readonly onError: (error: Error, what: string) => void
}

/** How those fare that are measured. */
export interface Health {
  readonly status: 'ok' | 'failing'
  /** Who fails, and at what. */
  readonly failing: readonly { readonly worker: string; readonly checks: readonly string[] }[]
}

// A scraper asks every few seconds, over a connection or two.
const mostConnections = 64
const patienceMs = 10_000

/** `/metrics` as Prometheus reads it, `/health` as JSON, 503 where something fails. */
export class Exposition {
  readonly #shown: Shown
  readonly #server: Server

  /** Listens. Throws what keeps it from that. */
  static async open(shown: Shown): Promise<Exposition> {
    const exposition = new Exposition(shown)
    await exposition.#listen()
    return exposition
  }

  private constructor(shown: Shown) {
    this.#shown = shown
    const limits = { headersTimeout: patienceMs, requestTimeout: patienceMs, connectionsCheckingInterval: patienceMs }
    this.#server = createServer(limits, ({ method, url = '' }, response) => {
      void this.#answer(method === 'HEAD' || method === 'GET', url.split('?', 1)[0] ?? '', response)
    })
    this.#server.maxConnections = mostConnections
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Twice is fine. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  #listen(): Promise<void> {
    const { host, port, onError } = this.#shown
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => onError(error, 'the port of the metrics has an error'))
        resolve()
      })
    })
  }

  async #answer(isRead: boolean, path: string, response: ServerResponse): Promise<void> {
    try {
      if (path !== '/metrics' && path !== '/health')
        say(response, 404, 'text/plain', 'there are /metrics and /health\n')
      else if (!isRead) say(response, 405, 'text/plain', 'GET only\n')
      else if (path === '/health') {
        const health = await this.#shown.health()
        say(response, health.status === 'ok' ? 200 : 503, 'application/json', `${JSON.stringify(health)}\n`)
      } else {
        const registry = await this.#shown.registry()
        say(response, 200, registry.contentType, await registry.metrics())
      }
    } catch (thrown) {
      this.#shown.onError(toError(thrown), 'the metrics could not be shown')
      if (response.headersSent) response.destroy()
      else say(response, 500, 'text/plain', 'the metrics could not be put together: see the log\n')
    }
  }
}

function say(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
  response.end(text)
}
