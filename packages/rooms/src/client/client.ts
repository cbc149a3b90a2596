// The client, for browsers and Node: what users call. Its files are served as one.
import { Link } from './link.ts'
import { Listeners } from './listeners.ts'
import { isLater } from './message-order.ts'
import { page, report } from './page.ts'
import { type Message, Requests } from './requests.ts'
import { failure, RoomsError } from './rooms-error.ts'
import type * as Types from './types.ts'

export { RoomsError } from './rooms-error.ts'
export type * from './types.ts'

interface Room {
  epoch?: unknown
  last?: unknown
  isIn: boolean
  waiting: { resolve: (joined: { recovered: boolean }) => void; reject: (error: Error) => void }[]
}

/** A connection that comes again by itself, with its rooms, from where it was. See {@link connect}. */
export class RoomsClient {
  readonly #timeoutMs: number
  readonly #link: Link
  readonly #requests: Requests
  readonly #rooms = new Map<string, Room>()
  readonly #listeners = new Listeners()
  readonly #handlers = new Map<string, (data: never, told: Types.Told) => unknown>()

  constructor(url: string, options: Types.ConnectOptions = {}) {
    const defaults = { timeoutMs: 10_000, minDelayMs: 1_000, maxDelayMs: 30_000, maxQueued: 30, idleMs: 45_000 }
    const settings = { WebSocket: page.WebSocket, ...defaults, ...options }
    this.#timeoutMs = settings.timeoutMs
    this.#requests = new Requests(settings.timeoutMs, settings.maxQueued)
    this.#link = new Link(url, settings, {
      onOpen: () => this.#opened(),
      onText: (text) => this.#hear(JSON.parse(text) as Message),
      onIdle: () => void this.details().catch(() => this.#link.drop('the server is silent')),
      onLost: (code, reason) => this.#lost(code, reason),
      onEnd: (code, reason) => this.#ended(code, reason),
    })
    void this.#link.open()
  }

  get isConnected(): boolean {
    return this.#link.isOpen
  }

  /** The rooms that it is in, or will be in again. */
  get rooms(): string[] {
    return [...this.#rooms.keys()]
  }

  /** Answers how to stop. */
  on<Name extends keyof Types.ClientEvents>(
    name: Name,
    listener: (event: Types.ClientEvents[Name]) => void,
  ): () => void {
    return this.#listeners.add(name, listener)
  }

  /** Answers an event of the server; what it answers is the acknowledgement. */
  handle<Event extends string>(
    event: Event,
    handler: (data: Types.DataOf<Event>, told: Types.Told) => unknown,
  ): () => void {
    this.#handlers.set(event, handler)
    return () => void this.#handlers.delete(event)
  }

  /** Resolves when it is a member; it is again after each reconnect, until {@link leave}. */
  join(
    room: string,
    { timeoutMs = this.#timeoutMs, signal }: Types.RequestOptions = {},
  ): Promise<{ recovered: boolean }> {
    const known = this.#rooms.get(room)
    if (known?.isIn) return Promise.resolve({ recovered: true })
    if (this.#link.isEnded) return Promise.reject(failure('CLOSED', 'the client is closed'))
    const entry: Room = known ?? { isIn: false, waiting: [] }
    this.#rooms.set(room, entry)
    const joined = new Promise<{ recovered: boolean }>((resolve, reject) => {
      const give = (error: Error): void => {
        this.#rooms.delete(room)
        reject(error)
      }
      const timer = setTimeout(() => give(failure('TIMEOUT', `not in ${room} after ${timeoutMs} ms`)), timeoutMs)
      signal?.addEventListener('abort', () => give(signal.reason as Error), { once: true })
      const settle =
        <T>(act: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer)
          act(value)
        }
      entry.waiting.push({ resolve: settle(resolve), reject: settle(reject) })
    })
    // Otherwise it is said when there is a connection, with the others.
    if (this.#link.isOpen && known === undefined) {
      this.#send({ event: 'roomAdd', room }).then(
        (reply) => this.#joined(room, reply),
        (error: RoomsError) => this.#refused(room, error),
      )
    }
    return joined
  }

  async leave(room: string, options?: Types.RequestOptions): Promise<void> {
    const entry = this.#rooms.get(room)
    this.#rooms.delete(room)
    for (const { reject } of entry?.waiting.splice(0) ?? []) reject(failure('CLOSED', `${room} was left meanwhile`))
    if (entry === undefined || !this.#link.isOpen) return
    await this.#send({ event: 'roomLeave', room }, options).catch((error: RoomsError) => {
      if (entry.isIn && error.code !== 'AH_CLIENT_DISCONNECTED') throw error
    })
    this.#rooms.delete(room)
  }

  /** Answers the id of the message, once it is said. */
  async say<Room extends string>(
    room: Room,
    message: Types.MessageOf<Room>,
    options?: Types.RequestOptions,
  ): Promise<string> {
    return (await this.#send({ event: 'say', room, message }, options))['id'] as string
  }

  /** Answers what the server's handler answers. */
  async emit<Event extends string>(
    name: Event,
    data: Types.DataOf<Event>,
    options?: Types.RequestOptions,
  ): Promise<Types.AckOf<Event>> {
    return (await this.#send({ event: 'emit', name, data }, options))['data'] as Types.AckOf<Event>
  }

  async action<Name extends string>(
    action: Name,
    params: Types.ParamsOf<Name>,
    options?: Types.RequestOptions,
  ): Promise<Types.ReplyOf<Name>> {
    return (await this.#send({ event: 'action', params: { ...(params as object), action } }, options)) as never
  }

  async view(room: string, options?: Types.RequestOptions): Promise<Types.RoomView> {
    return (await this.#send({ event: 'roomView', room }, options))['data'] as Types.RoomView
  }

  async details(options?: Types.RequestOptions): Promise<Record<string, unknown>> {
    return (await this.#send({ event: 'detailsView' }, options))['data'] as Message
  }

  /** For good. */
  close(): void {
    this.#link.end(1000, 'closed here')
  }

  #send(message: Message, options: Types.RequestOptions = {}): Promise<Message> {
    if (this.#link.isEnded) return Promise.reject(failure('CLOSED', 'the client is closed'))
    return this.#requests.ask(message, options, this.#link.isOpen ? this.#link.send : undefined)
  }

  #opened(): void {
    const rooms = [...this.#rooms].map(([room, { epoch, last }]) => [room, epoch === undefined ? {} : { epoch, last }])
    if (rooms.length > 0) {
      this.#send({ event: 'resume', rooms: Object.fromEntries(rooms) }).then(
        ({ data }) => {
          for (const [room, { error, code }] of Object.entries(data as Record<string, Message>)) {
            if (error !== undefined) this.#refused(room, new RoomsError(String(code), String(error)))
          }
        },
        () => this.#link.drop('the rooms could not be joined'),
      )
    }
    this.#requests.flush(this.#link.send)
    this.#listeners.tell('connect', undefined)
  }

  #lost(code: number, reason: string): void {
    for (const room of this.#rooms.values()) room.isIn = false
    this.#requests.lose()
    this.#listeners.tell('disconnect', { code, reason })
  }

  #ended(code: number, reason: string): void {
    const error = failure('CLOSED', `the client is closed: ${code} ${reason}`)
    this.#requests.end(error)
    for (const { waiting } of this.#rooms.values()) for (const { reject } of waiting.splice(0)) reject(error)
    this.#rooms.clear()
    this.#listeners.tell('closed', { code, reason })
  }

  #hear(message: Message): void {
    const { context, status, epoch, last, id } = message
    const room = message['room'] as string
    const entry = this.#rooms.get(room)
    if (context === 'response') this.#requests.answer(message)
    else if (id !== undefined) {
      // What was heard before the connection broke comes once.
      if (entry?.epoch === epoch && !isLater(id, entry?.last)) return
      if (entry !== undefined) Object.assign(entry, { epoch, last: id })
      if (context === 'user') this.#listeners.tell('message', message as never)
      else this.#told(message as never)
    } else if (context === 'event') this.#told(message as never)
    else if (status === 'joined') this.#joined(room, message)
    else if (status === 'left') {
      this.#rooms.delete(room)
      this.#listeners.tell('left', { room, reason: String(message['reason']) })
    } else if (status === 'gap') {
      if (entry !== undefined) Object.assign(entry, { epoch, last })
      this.#listeners.tell('gap', { room })
    } else this.#listeners.tell('api', message)
  }

  #told(told: Types.Told & { ackId?: unknown }): void {
    const { event, data, ackId } = told
    this.#listeners.tell('event', told)
    const handler = this.#handlers.get(event)
    if (handler === undefined) return
    Promise.resolve(data as never)
      .then((given) => handler(given, told))
      .then((answer) => {
        if (ackId !== undefined) this.#link.send(JSON.stringify({ event: 'ack', ackId, data: answer }))
      })
      .catch(report)
  }

  #joined(room: string, { epoch, last, recovered }: Message): void {
    const entry: Room = this.#rooms.get(room) ?? { isIn: true, waiting: [] }
    this.#rooms.set(room, entry)
    const isRecovered = recovered === true
    Object.assign(entry, { isIn: true, epoch }, isRecovered && entry.last !== undefined ? {} : { last })
    for (const { resolve } of entry.waiting.splice(0)) resolve({ recovered: isRecovered })
    this.#listeners.tell('joined', { room, recovered: isRecovered })
  }

  #refused(room: string, error: RoomsError): void {
    // Asked twice; or it is asked again with the next connection.
    if (error.code === 'AH_ROOMS_MEMBER' || error.code.startsWith('AH_CLIENT_')) return
    const entry = this.#rooms.get(room)
    this.#rooms.delete(room)
    for (const { reject } of entry?.waiting.splice(0) ?? []) reject(error)
    this.#listeners.tell('left', { room, reason: error.message })
  }
}

/** `url` may be that of the page's server (`/ah/ws`), `ws://…` or `http://…`. */
export function connect(url: string, options?: Types.ConnectOptions): RoomsClient {
  return new RoomsClient(url, options)
}
