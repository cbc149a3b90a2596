// Sees to it that an action reaches its own route, and that a route is called over what it is for.
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** A route that opted in. */
export interface ActionRoute {
  readonly method: string
  /** As it was registered. */
  readonly url: string
}

interface Call {
  readonly route: ActionRoute
  isRefused: boolean
}

const header = 'x-ah-rooms-action'

/**
 * What a client puts into the path of an action may spell that of another route: a sibling without params, `..`, nothing at
 * all. Only the router knows where it leads, so it is asked: a hook of the app looks at the route that was found.
 */
export class ActionGate {
  readonly #calls = new Map<string, Call>()

  constructor(app: FastifyInstance) {
    app.addHook('onRequest', this.#onRequest)
  }

  /** Makes a call of the route by its header; answers what it answers, or undefined if it led to another. */
  async pass<T>(route: ActionRoute, inject: (headers: Record<string, string>) => Promise<T>): Promise<T | undefined> {
    const call: Call = { route, isRefused: false }
    // Good for one request: nobody can guess it, and who has seen it can do nothing with it.
    const key = randomUUID()
    this.#calls.set(key, call)
    try {
      const answer = await inject({ [header]: key })
      return call.isRefused ? undefined : answer
    } finally {
      this.#calls.delete(key)
    }
  }

  readonly #onRequest = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const { url, config, method } = request.routeOptions
    const key = request.raw.headers[header]
    const call = typeof key === 'string' ? this.#calls.get(key) : undefined
    if (call === undefined) {
      if (isForWebsocketsAlone(config)) reply.callNotFound()
      else done()
      return
    }
    this.#calls.delete(key as string)
    delete request.raw.headers[header]
    const { route } = call
    if (url === route.url && [method].flat().includes(route.method)) {
      done()
      return
    }
    call.isRefused = true
    // Nobody reads it.
    reply.code(404).send()
  }
}

function isForWebsocketsAlone(config: { action?: unknown; servers?: unknown } | undefined): boolean {
  return config?.action !== undefined && Array.isArray(config.servers) && !config.servers.includes('web')
}
