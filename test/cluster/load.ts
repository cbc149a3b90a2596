// Owns clients that ask without pause, and the books of what became of every request.
import { Agent, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { atEnd, type HttpTarget, type TestScope } from 'fastify-ah-test-support'

/** A request that got no good answer. */
export interface Failure {
  /** `ECONNRESET`, `ECONNREFUSED`, `TIMEOUT`, or the status. */
  readonly code: string
  /** Who had answered before on the same connection; undefined on a fresh one. */
  readonly lastPid: number | undefined
  /** How long the connection had been idle before the request, in ms. */
  readonly idleMs: number
}

/** How the clients ask. */
export interface LoadOptions {
  readonly clients: number
  /** One connection per client, or one per request. */
  readonly isKeepAlive: boolean
  readonly timeoutMs?: number
  /** Size of a body to send and to get back; default: a GET. */
  readonly bodyBytes?: number
  /** How long a client waits before its next request; default: not at all. */
  readonly pauseMs?: () => number
}

/** Clients at work. */
export interface Load {
  readonly clients: number
  /** Good answers so far. */
  readonly answered: number
  readonly failures: readonly Failure[]
  /** Who answered, and how often. */
  readonly pids: ReadonlyMap<number, number>
  /** One client more. */
  add(): void
  /** Has every client end after the request in hand. */
  stop(): Promise<void>
}

/** Starts the clients; they end with the test. */
export function startLoad(target: HttpTarget, options: LoadOptions, scope: TestScope): Load {
  const load = new Clients(target, options)
  for (let client = 0; client < options.clients; client += 1) load.add()
  atEnd(scope, () => load.stop())
  return load
}

class Clients implements Load {
  answered = 0
  readonly failures: Failure[] = []
  readonly pids = new Map<number, number>()
  readonly #target: HttpTarget
  readonly #options: LoadOptions
  #isStopping = false
  readonly #running: Promise<void>[] = []

  constructor(target: HttpTarget, options: LoadOptions) {
    this.#target = target
    this.#options = options
  }

  get clients(): number {
    return this.#running.length
  }

  add(): void {
    this.#running.push(this.#client())
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#running)
  }

  async #client(): Promise<void> {
    const agent = this.#options.isKeepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined
    const { pauseMs = () => 0 } = this.#options
    let lastPid: number | undefined
    let idleMs = 0
    while (!this.#isStopping) {
      try {
        idleMs = pauseMs()
        if (idleMs > 0) await sleep(idleMs)
        const { pid, isKept } = await ask(this.#target, agent, this.#options)
        this.answered += 1
        this.pids.set(pid, (this.pids.get(pid) ?? 0) + 1)
        lastPid = isKept ? pid : undefined
      } catch (error) {
        this.failures.push({ code: (error as NodeJS.ErrnoException).code ?? String(error), lastPid, idleMs })
        lastPid = undefined
      }
    }
    agent?.destroy()
  }
}

/** Asks once: for `/`, or for what it sends. */
async function ask(
  target: HttpTarget,
  agent: Agent | undefined,
  { timeoutMs = 10_000, bodyBytes }: LoadOptions,
): Promise<{ pid: number; isKept: boolean }> {
  const where = 'port' in target ? { host: '127.0.0.1', ...target } : target
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const post = { method: 'POST', path: '/echo', headers: { 'content-type': 'application/json' } }
    const what = bodyBytes === undefined ? { path: '/' } : post
    const asked = request({ ...where, ...what, agent: agent ?? false }, resolve)
    asked.setTimeout(timeoutMs, () => asked.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' })))
    asked.once('error', reject)
    asked.end(bodyBytes === undefined ? undefined : JSON.stringify({ sent: 'x'.repeat(bodyBytes) }))
  })
  const answer = (await json(response)) as { sent?: string }
  if (response.statusCode !== 200) {
    throw Object.assign(new Error(`status ${response.statusCode}`), { code: String(response.statusCode) })
  }
  if (answer.sent?.length !== bodyBytes) throw Object.assign(new Error('another body came back'), { code: 'BODY' })
  const pid = Number(response.headers['x-pid'])
  return { pid, isKept: agent !== undefined && response.headers.connection !== 'close' }
}
