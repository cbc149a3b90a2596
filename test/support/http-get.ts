// Owns single HTTP requests over ports and unix sockets (fetch speaks to ports only).
import { type Agent, type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** Where a server listens. */
export type HttpTarget = { port: number; host?: string } | { socketPath: string }

/** What is asked, and how. */
export interface HttpGetOptions {
  /** Default `/`. */
  path?: string
  headers?: Record<string, string>
  /** For keep-alive; default: a connection of its own, closed afterwards. */
  agent?: Agent
  /** After this many ms without an answer it rejects. Default 5 000. */
  timeoutMs?: number
}

/** A whole answer. */
export interface HttpAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** GETs once. Rejects when the connection fails or the answer does not come in time; any status is an answer. */
export async function httpGet(target: HttpTarget, options: HttpGetOptions = {}): Promise<HttpAnswer> {
  const { path = '/', headers = {}, agent = false, timeoutMs = 5_000 } = options
  const where = 'port' in target ? { host: '127.0.0.1', ...target } : target
  const signal = AbortSignal.timeout(timeoutMs)
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request({ ...where, path, headers, agent, signal }, resolve)
      .once('error', reject)
      .end()
  })
  return { status: response.statusCode!, headers: response.headers, body: await text(response) }
}
