// Owns HTTP clients that ask without end, and the books of every request that got no good answer.
import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { atEnd, type TestScope } from 'fastify-ah-test-support'

/** A request without a good answer; moments of `performance.now()`. */
export interface Failed {
  readonly path: string
  readonly from: number
  readonly to: number
  /** The status, or the code of the error of the connection. */
  readonly status: string
  /** Of the answer's body, where the app gave one: `AH_…`. */
  readonly code: string | undefined
}

const pauseMs = 8
const timeoutMs = 15_000

export class HttpLoad {
  answered = 0
  readonly failed: Failed[] = []
  /** Numbers of the tasks that were acknowledged. */
  readonly acknowledged: number[] = []
  readonly #port: number
  readonly #clients: Promise<void>[]
  #asked = 0
  #isOver = false

  /** Half of the clients keep their connection, the others close it after each request. */
  constructor(port: number, clients: number, scope: TestScope) {
    this.#port = port
    this.#clients = Array.from({ length: clients }, (_, i) => this.#client(i % 2 === 0))
    atEnd(scope, () => this.stop())
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#clients)
  }

  async #client(isKeepAlive: boolean): Promise<void> {
    const agent = isKeepAlive && new Agent({ keepAlive: true, maxSockets: 1 })
    while (!this.#isOver) {
      this.#asked += 1
      await this.#ask(this.#asked, agent)
      // A steady load that leaves the machine time for the rest.
      await sleep(pauseMs)
    }
    if (agent) agent.destroy()
  }

  async #ask(n: number, agent: Agent | false): Promise<void> {
    const paths = ['/', `/cached/${n % 50}`, '/', `/tasks/${n}`]
    const path = paths[n % paths.length] as string
    const method = path.startsWith('/tasks') ? 'POST' : 'GET'
    const from = performance.now()
    try {
      const { status, body } = await ask(this.#port, path, method, agent)
      if (status === 200) {
        this.answered += 1
        if (method === 'POST') this.acknowledged.push(n)
        return
      }
      const code = /"code":"(AH_[A-Z_]+)"/.exec(body)?.[1]
      this.failed.push({ path, from, to: performance.now(), status: String(status), code })
    } catch (error) {
      const status = String((error as NodeJS.ErrnoException).code ?? error)
      this.failed.push({ path, from, to: performance.now(), status, code: undefined })
    }
  }
}

async function ask(port: number, path: string, method: string, agent: Agent | false) {
  const signal = AbortSignal.timeout(timeoutMs)
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, agent, signal }, resolve).once('error', reject).end()
  })
  return { status: answer.statusCode ?? 0, body: await text(answer) }
}
