// The connections of a server, and how each is asked to end after the answer in hand.
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import type { Server, Socket } from 'node:net'
import { acceptedSockets, responseDue } from './listening-handle.ts'

/** Of one server. Costs its plain connections and its requests nothing before the end begins. */
export class OpenSockets {
  readonly #server: Server
  /** What HTTP/1 is spoken on under TLS. */
  readonly #secure = new Set<Socket>()
  readonly #sessions = new Set<ServerHttp2Session>()
  #isClosing = false

  constructor(server: Server) {
    this.#server = server
    server.on('secureConnection', (socket: Socket) => remember(this.#secure, socket))
    server.on('session', (session: ServerHttp2Session) => {
      remember(this.#sessions, session)
      if (this.#isClosing) session.close()
    })
  }

  /**
   * From now on every answer ends its connection: those in hand, those to requests that idle connections still send,
   * and HTTP/2 sessions after their open streams (GOAWAY).
   */
  closeAfterAnswers(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    for (const socket of [...acceptedSockets(this.#server), ...this.#secure]) closeAfterLast(socket)
    for (const session of this.#sessions) session.close()
    // Of requests that came in one packet only the last may carry the header: Node ends the connection after it.
    const latest = new WeakMap<Socket, ServerResponse>()
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      if (request.httpVersionMajor !== 1) return
      const before = latest.get(request.socket)
      if (before !== undefined && !before.headersSent) before.removeHeader('connection')
      latest.set(request.socket, response)
      closeAfter(response)
    }
    ;(this.#server as HttpServer).prependListener('request', onRequest)
  }

  /** Ends what is left, without waiting for anybody. */
  destroy(): void {
    for (const socket of acceptedSockets(this.#server)) socket.destroy()
  }
}

/** Requests may wait in line on the connection; Node ends it after the answer that carries the header. */
function closeAfterLast(socket: Socket): void {
  const due = responseDue(socket)
  if (due === undefined) return
  if (due.isLast) closeAfter(due.response)
  else due.response.once('finish', () => closeAfterLast(socket))
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close')
}

function remember<T extends Socket | ServerHttp2Session>(set: Set<T>, item: T): void {
  set.add(item)
  item.once('close', () => set.delete(item))
}
