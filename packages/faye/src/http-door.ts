// The routes: polls and what else clients POST, the preflight of other hosts' pages, and faye's own client for browsers.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Origins } from 'fastify-ah-kit'
import type { Bayeux } from './bayeux.ts'
import { messagesIn } from './incoming.ts'
import type { Peer } from './types.ts'

/** What the routes are made of. */
export interface HttpDoorOptions {
  readonly path: string
  readonly bayeux: Bayeux
  readonly origins: Origins
  readonly maxMessageBytes: number
}

const json = 'application/json; charset=utf-8'
const browserClient = 'faye/client/faye-browser-min.js'

/** In a scope of its own: bodies are texts here, whatever they call themselves. */
export async function openHttpDoor(scope: FastifyInstance, options: HttpDoorOptions): Promise<void> {
  const { path, bayeux, origins, maxMessageBytes } = options
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: maxMessageBytes }, (_request, body, done) =>
    done(null, body),
  )

  scope.post(path, async (request, reply) => {
    if (!origins.allows(request.raw)) return refuse(reply, 403, 'this origin may not connect')
    const messages = messagesIn(textOf(request))
    if (messages === undefined) return refuse(reply, 400, 'expected a Bayeux message, or a list of them, as JSON')
    allow(request, reply)
    const replies = await bayeux.answer(messages, peerOf(request, reply))
    return reply.header('cache-control', 'no-cache, no-store').type(json).send(JSON.stringify(replies))
  })

  scope.options(path, async (request, reply) => {
    if (!origins.allows(request.raw)) return refuse(reply, 403, 'this origin may not connect')
    allow(request, reply)
    return reply
      .header('access-control-allow-headers', 'Accept, Authorization, Content-Type, Pragma, X-Requested-With')
      .header('access-control-allow-methods', 'POST')
      .header('access-control-max-age', '86400')
      .code(204)
      .send()
  })

  // Also reached by upgrades where another plugin routes them: the socket is ours already.
  scope.get(path, async (request, reply) => {
    if (request.headers.upgrade !== undefined) return reply.hijack()
    return refuse(reply, 426, 'connect by websocket, or POST')
  })

  const script = readFileSync(createRequire(import.meta.url).resolve(browserClient))
  scope.get(`${path}/client.js`, async (_request, reply) =>
    reply.header('cache-control', 'public, max-age=3600').type('text/javascript; charset=utf-8').send(script),
  )
}

function textOf({ body, headers }: FastifyRequest): string {
  const text = typeof body === 'string' ? body : ''
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  // What pages of other hosts may send without being asked first is a form.
  return type.trim() === 'application/json' ? text : (new URLSearchParams(text).get('message') ?? '')
}

function peerOf(request: FastifyRequest, reply: FastifyReply): Peer {
  const gone = new AbortController()
  // Answered or given up: either way nobody waits any more.
  reply.raw.once('close', () => gone.abort())
  const { headers, url, ip, raw } = request
  return { request: { headers, url, ip, raw }, socket: undefined, gone: gone.signal }
}

function allow({ headers }: FastifyRequest, reply: FastifyReply): void {
  if (headers.origin === undefined) return
  reply.header('access-control-allow-origin', headers.origin).header('access-control-allow-credentials', 'true')
  reply.header('vary', 'Origin')
}

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).type(json).send(JSON.stringify({ error }))
}
