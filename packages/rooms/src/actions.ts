// Routes that opted in, called over a connection as if by its handshake.
import { hostname } from 'node:os'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { type FilteredParams, oncePerApp } from 'fastify-ah-kit'
import sjson from 'secure-json-parse'
import { ActionGate, type ActionRoute } from './action-gate.ts'
import { filteringFactory } from './action-log.ts'
import type { Connection } from './connection.ts'
import { type DocumentedRoute, documentationOf } from './documentation.ts'
import { AH_ROOMS_ACTION, AH_ROOMS_OPTIONS, AH_ROOMS_VERB } from './errors.ts'
import { shown } from './shown.ts'

/** In the `config` of a route. */
interface ActionConfig {
  readonly action?: unknown
  /** Over what it may be called; without it over both. */
  readonly servers?: unknown
  /** False: clients are not told of it. */
  readonly toDocument?: unknown
}

type Params = Readonly<Record<string, unknown>>

const bodyless = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])
/** A param in the path of a route: its slash, its name, what it has to look like, whether it may be left out. */
const pathParam = /(\/?)(?<!:):([^/:().?*-]+)(\((?:[^()]|\([^()]*\))*\))?(\?)?/g

/** By name. A route without `config.action` cannot be reached. */
export class Actions {
  readonly #app: FastifyInstance
  readonly #hasMetadata: boolean
  readonly #gate: ActionGate
  readonly #filtered: FilteredParams
  readonly #routes = new Map<string, ActionRoute>()
  readonly #documented: DocumentedRoute[] = []

  constructor(app: FastifyInstance, hasMetadata: boolean, filtered: FilteredParams) {
    this.#app = app
    this.#filtered = filtered
    this.#hasMetadata = hasMetadata
    this.#gate = oncePerApp(app, 'rooms-action-gate', (root) => new ActionGate(root))
  }

  /** A route of the app. Throws `AH_ROOMS_OPTIONS` for what cannot be an action. */
  note({ method, url, config, schema }: Pick<RouteOptions, 'method' | 'url' | 'config' | 'schema'>): void {
    const { action, servers, toDocument } = (config ?? {}) as ActionConfig
    const [first = 'GET'] = [method].flat()
    // Fastify adds HEAD to each GET.
    if (action === undefined || first === 'HEAD') return
    const fail = (what: string): never => {
      throw new AH_ROOMS_OPTIONS(`the route ${first} ${url}: ${what}`)
    }
    if (typeof action !== 'string' || action === '') fail(`config.action: expected a name, got ${shown(action)}`)
    if (servers !== undefined && !isServers(servers)) {
      fail(`config.servers: expected a list of "web", "websocket" or both, got ${shown(servers)}`)
    }
    if (servers !== undefined && !(servers as unknown[]).includes('websocket')) return
    if (/[*()]/.test(url.replace(pathParam, ''))) {
      fail('config.action: a path with a wildcard, or with such a pattern, cannot be made of params')
    }
    const name = action as string
    const other = this.#routes.get(name)
    // Fastify adds the path with a slash at its end to the one without.
    const isSame = other?.method === first && bareOf(other.url) === bareOf(url)
    if (other !== undefined && !isSame) fail(`config.action: ${shown(name)} is ${other.method} ${other.url} already`)
    if (other !== undefined) return
    this.#routes.set(name, { method: first, url })
    if (toDocument !== false) this.#documented.push({ name, schema })
  }

  /** Whose log lines show the URL without what is filtered: each route with a name, over whatever it is called. */
  filterLog(route: RouteOptions, factory: NonNullable<RouteOptions['childLoggerFactory']>): void {
    const { action } = (route.config ?? {}) as ActionConfig
    if (action === undefined || this.#filtered.isEmpty) return
    route.childLoggerFactory = filteringFactory(route.childLoggerFactory ?? factory, route.url, this.#filtered)
  }

  /** What clients may be told of them. */
  documentation(): Record<string, unknown> {
    return documentationOf(this.#documented)
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
    const { headers, ...request } = requestOf(route, connection, params)
    const response = await this.#gate.pass(route, (own) =>
      this.#app.inject({ ...request, headers: { ...headers, ...own } }),
    )
    if (response === undefined) throw new AH_ROOMS_ACTION(`${shown(action)} with these params`)
    const body: unknown = sjson.safeParse(response.body) ?? response.body
    const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
    const reply: Record<string, unknown> = isObject ? { ...body } : { data: body }
    if (response.statusCode >= 400) {
      const { message } = reply
      const error = typeof message === 'string' ? message : `the action answered ${response.statusCode}`
      Object.assign(reply, { status: `Error: ${error}`, error, statusCode: response.statusCode })
    }
    if (!this.#hasMetadata) return reply
    return { ...reply, ...metadata(connection, messageId, given, performance.now() - startedAt) }
  }
}

function requestOf({ method, url }: ActionRoute, { request }: Connection, params: Params) {
  const rest = new Map(Object.entries(params))
  const filled = url.replace(pathParam, (_, slash: string, name: string, __, optional?: string) => {
    const value = rest.get(name)
    rest.delete(name)
    if (value === undefined && optional !== undefined) return ''
    const isWord = typeof value === 'number' || (typeof value === 'string' && value.isWellFormed())
    if (!isWord) throw new AH_ROOMS_VERB(`the param ${name} of this action is a text or a number, got ${shown(value)}`)
    return slash + encodeURIComponent(String(value))
  })
  // Two colons are one that begins no param.
  const path = filled.replaceAll('::', ':') || '/'
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(
      ([name, value]) =>
        value !== undefined &&
        !/^(connection|upgrade|accept-encoding|content-.*|transfer-encoding|sec-websocket-.*)$/.test(name),
    ),
  ) as Record<string, string | string[]>
  // With the same headers and the same peer the route comes to the same address, host and protocol.
  const own = { method: method as 'GET', headers, remoteAddress: request.remoteAddress ?? request.ip }
  if (!bodyless.has(method)) return { ...own, url: path, payload: Object.fromEntries(rest) }
  const query: [string, string][] = []
  for (const [name, value] of rest) for (const item of [value].flat()) query.push([name, wordOf(item)])
  const search = new URLSearchParams(query).toString()
  return { ...own, url: search === '' ? path : `${path}?${search}` }
}

function isServers(servers: unknown): boolean {
  return Array.isArray(servers) && servers.length > 0 && servers.every((name) => ['web', 'websocket'].includes(name))
}

function bareOf(url: string): string {
  return url.replace(/\/$/, '')
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
