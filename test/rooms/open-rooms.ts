// Owns apps with rooms, and plain websockets to them, as the tests open them.
import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import type { RedisOption } from 'fastify-ah-kit/redis'
import { fastifyAhPubsub, type PubSubOptions } from 'fastify-ah-pubsub'
import { fastifyAhRooms, type RoomsOptions } from 'fastify-ah-rooms'
import { atEnd, type TestScope, until } from 'fastify-ah-test-support'
import { WebSocket } from 'ws'

/** A listening app, and what it wrote to its log. */
export interface RoomsApp {
  readonly app: FastifyInstance
  readonly port: number
  readonly url: string
  readonly lines: string[]
  /** A websocket of a page of the same host. */
  connect(headers?: Record<string, string>): Promise<Client>
}

/** Both plugins on one Redis, listening on a free port; closed at the end of the test. */
export async function openRooms(
  redis: RedisOption,
  options: RoomsOptions,
  scope: TestScope,
  before: (app: FastifyInstance) => unknown = () => undefined,
  pubsub: PubSubOptions = {},
): Promise<RoomsApp> {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  const app = fastify({ logger: { level: 'debug', stream }, forceCloseConnections: true })
  atEnd(scope, () => app.close())
  const { prefix = 'actionhero:' } = options
  const { leaseMs = 9_000 } = options
  await app.register(fastifyAhPubsub, { redis, prefix, leaseMs, probeMs: 200, ...pubsub })
  await app.register(fastifyAhRooms, { redis, ...options })
  await before(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const url = `ws://127.0.0.1:${port}${options.path ?? '/ah/ws'}`
  return { app, port, url, lines, connect: (headers) => connect(url, scope, headers) }
}

/** Connects, waits for the welcome, and ends with the test. */
export async function connect(url: string, scope: TestScope, headers: Record<string, string> = {}): Promise<Client> {
  const client = new Client(url, { origin: `http://${new URL(url).host}`, ...headers })
  atEnd(scope, () => client.socket.terminate())
  await client.opened
  await until(() => client.messages.length > 0, { what: 'the welcome' })
  return client
}

type Message = Readonly<Record<string, unknown>>

/** A websocket that speaks the protocol. */
export class Client {
  readonly socket: WebSocket
  readonly messages: Message[] = []
  readonly opened: Promise<void>
  closed: { readonly code: number; readonly reason: string } | undefined
  #asked = 0

  constructor(url: string, headers: Record<string, string>) {
    this.socket = new WebSocket(url, { headers, perMessageDeflate: false })
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve)
      this.socket.once('error', reject)
    })
    this.socket.on('error', () => undefined)
    this.socket.on('message', (data) => void this.messages.push(JSON.parse(String(data)) as Message))
    this.socket.once('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
  }

  send(message: Message): void {
    this.socket.send(JSON.stringify(message))
  }

  /** The reply to a message. */
  async request(message: Message): Promise<Message> {
    this.#asked += 1
    const messageId = this.#asked
    this.send({ ...message, messageId })
    return until(
      () => this.messages.find((reply) => reply['context'] === 'response' && reply['messageId'] === messageId),
      {
        what: `a reply to ${JSON.stringify(message).slice(0, 100)}`,
      },
    )
  }

  /** What was said in a room, as it came. */
  said(room?: string): unknown[] {
    return this.messages
      .filter(({ context, room: own }) => context === 'user' && (room === undefined || own === room))
      .map(({ message }) => message)
  }
}
