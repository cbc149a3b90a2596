// Routes that opted in, called over a connection as if by its handshake.
import { hostname } from 'node:os'
import type { FastifyInstance, RouteOptions } from 'fastify'
import sjson from 'secure-json-parse'
import type { Connection } from './connection.ts'
import { AH_ROOMS_ACTION, AH_ROOMS_VERB } from './errors.ts'
import { shown } from './shown.ts'

/** In the `config` of a route. */
interface ActionConfig {
  readonly action?: unknown
  /** Over what it may be called; without it over both. */
  readonly servers?: unknown
}

interface ActionRoute {
  readonly method: string
  readonly url: string
}

type Params = Readonly<Record<string, unknown>>

const bodyless = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])

/** By name. A route without `config.action` cannot be reached. */
export class Actions {
  readonly #app: FastifyInstance
  readonly #hasMetadata: boolean
  readonly #routes = new Map<string, ActionRoute>()

  constructor(app: FastifyInstance, hasMetadata: boolean) {
    this.#app = app
    this.#hasMetadata = hasMetadata
  }

  /** A route of the app. */
  note({ method, url, config }: Pick<RouteOptions, 'method' | 'url' | 'config'>): void {
    const { action, servers } = (config ?? {}) as ActionConfig
    const [first = 'GET'] = [method].flat()
    // Fastify adds HEAD to each GET.
    if (typeof action !== 'string' || first === 'HEAD') return
    if (Array.isArray(servers) && !servers.includes('websocket')) return
    if (!this.#routes.has(action)) this.#routes.set(action, { method: first, url })
  }

  /** What the route answers, as the members of a reply. */
  async run(connection: Connection, given: unknown, messageId: unknown): Promise<Record<string, unknown>> {
    const startedAt = performance.now()
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      throw new AH_ROOMS_VERB(`an action has params, an object, got ${shown(given)}`)
    }
    const { action, ...params } = given as Record<string, unknown>
    const route = typeof action === 'string' ? this.#routes.get(action) : undefined
    if (route === undefined) throw new AH_ROOMS_ACTION(shown(action))
    const response = await this.#app.inject(requestOf(route, connection, params))
    const body: unknown = sjson.safeParse(response.body) ?? response.body
    const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
    const reply: Record<string, unknown> = isObject ? { ...body } : { data: body }
    if (response.statusCode >= 400) {
      const { message } = reply
      reply['error'] = typeof message === 'string' ? message : `the action answered ${response.statusCode}`
      reply['statusCode'] = response.statusCode
    }
    if (!this.#hasMetadata) return reply
    return { ...reply, ...metadata(connection, messageId, given, performance.now() - startedAt) }
  }
}

function requestOf({ method, url }: ActionRoute, { request }: Connection, params: Params) {
  const rest = new Map(Object.entries(params))
  const path = url.replace(/:([A-Za-z0-9_]+)/g, (_, name: string) => {
    const value = rest.get(name)
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new AH_ROOMS_VERB(`the param ${name} of this action is a text or a number, got ${shown(value)}`)
    }
    rest.delete(name)
    return encodeURIComponent(String(value))
  })
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(
      ([name, value]) =>
        value !== undefined &&
        !/^(connection|upgrade|accept-encoding|content-.*|transfer-encoding|sec-websocket-.*)$/.test(name),
    ),
  ) as Record<string, string | string[]>
  const own = { method: method as 'GET', headers, remoteAddress: request.ip }
  if (!bodyless.has(method)) return { ...own, url: path, payload: Object.fromEntries(rest) }
  const query: [string, string][] = []
  for (const [name, value] of rest) for (const item of [value].flat()) query.push([name, wordOf(item)])
  const search = new URLSearchParams(query).toString()
  return { ...own, url: search === '' ? path : `${path}?${search}` }
}

function wordOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

function metadata({ id, fingerprint, request }: Connection, messageId: unknown, receivedParams: unknown, ms: number) {
  return {
    serverInformation: { serverName: hostname(), requestDuration: Math.round(ms), currentTime: Date.now() },
    requesterInformation: { id, fingerprint, messageId, remoteIP: request.ip, receivedParams },
  }
}
