// The client, for browsers and Node: what users call. Its files are served as one.
import { Link } from './link.ts'
import { Listeners } from './listeners.ts'
import { Memberships } from './memberships.ts'
import { settingsOf } from './options.ts'
import { report } from './page.ts'
import { type Message, Requests } from './requests.ts'
import { failure } from './rooms-error.ts'
import type * as Types from './types.ts'

export { RoomsError } from './rooms-error.ts'
export type * from './types.ts'

/** A connection that comes again by itself, with its rooms, from where it was. See {@link connect}. */
export class RoomsClient {
  readonly #link: Link
  readonly #requests: Requests
  readonly #memberships: Memberships
  readonly #listeners = new Listeners()
  readonly #handlers = new Map<string, (data: never, told: Types.Told) => unknown>()

  constructor(url: string, options: Types.ConnectOptions = {}) {
    const settings = settingsOf(options)
    const { timeoutMs, maxQueued } = settings
    this.#link = new Link(url, settings, {
      onOpen: () => this.#opened(),
      onText: (text) => this.#take(text),
      onIdle: () => void this.details().catch(() => this.#link.drop('the server is silent')),
      onLost: (code, reason) => this.#lost(code, reason),
      onEnd: (code, reason) => this.#ended(code, reason),
    })
    const link = this.#link
    const why = (): string => (link.isOpen ? '' : `, and there is no connection: ${link.failure || 'none yet'}`)
    this.#requests = new Requests({ timeoutMs, maxQueued, why })
    const ask = (message: Message, asked?: Types.RequestOptions): Promise<Message> => this.#send(message, asked)
    this.#memberships = new Memberships({ timeoutMs, link, listeners: this.#listeners, ask, why })
    void link.open()
  }

  get isConnected(): boolean {
    return this.#link.isOpen
  }

  /** The rooms that it is in, or will be in again. */
  get rooms(): string[] {
    return this.#memberships.names
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
    return () => void (this.#handlers.get(event) === handler && this.#handlers.delete(event))
  }

  /** Resolves when it is a member; it is again after each reconnect, until {@link leave}. */
  join(room: string, options: Types.RequestOptions = {}): Promise<{ recovered: boolean }> {
    if (this.#link.isEnded) return Promise.reject(closed())
    return this.#memberships.join(room, options)
  }

  leave(room: string, options?: Types.RequestOptions): Promise<void> {
    return this.#memberships.leave(room, options)
  }

  /** Answers the id of the message, once it is said; undefined if middleware has it not said, without a word. */
  async say<Room extends string>(
    room: Room,
    message: Types.MessageOf<Room>,
    options?: Types.RequestOptions,
  ): Promise<string | undefined> {
    return (await this.#send({ event: 'say', room, message }, options))['id'] as string | undefined
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

  /** One of the server's option `files`. */
  async file(file: string, options?: Types.RequestOptions): Promise<Types.ServedFile> {
    return (await this.#send({ event: 'file', file }, options)) as never
  }

  /** What the actions are called, and what they take. */
  async documentation(options?: Types.RequestOptions): Promise<Record<string, unknown>> {
    return (await this.#send({ event: 'documentation' }, options))['data'] as Message
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
    if (this.#link.isEnded) return Promise.reject(closed())
    return this.#requests.ask(message, options, this.#link.isOpen ? this.#link.send : undefined)
  }

  #opened(): void {
    this.#memberships.resume()
    this.#requests.flush(this.#link.send)
    this.#listeners.tell('connect', undefined)
  }

  #lost(code: number, reason: string): void {
    this.#memberships.lose()
    this.#requests.lose()
    this.#listeners.tell('disconnect', { code, reason })
  }

  #ended(code: number, reason: string): void {
    const error = failure('CLOSED', `the client is closed: ${code} ${reason}`)
    this.#requests.end(error)
    this.#memberships.end(error)
    this.#listeners.tell('closed', { code, reason })
  }

  #take(text: string): void {
    try {
      this.#hear(JSON.parse(text) as Message)
    } catch (thrown) {
      report(thrown)
    }
  }

  #hear(message: Message): void {
    const { context, status, epoch, last, id } = message
    const room = message['room'] as string
    if (context === 'response') this.#requests.answer(message)
    else if (id !== undefined) {
      if (!this.#memberships.isNews(room, epoch, id)) return
      if (context === 'user') this.#listeners.tell('message', message as never)
      else this.#told(message as never)
    } else if (context === 'event') this.#told(message as never)
    else if (status === 'joined') this.#memberships.joined(room, message)
    else if (status === 'left') this.#memberships.left(room, String(message['reason']))
    else if (status === 'gap') {
      this.#memberships.moved(room, epoch, last)
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
}

function closed(): Error {
  return failure('CLOSED', 'the client is closed')
}

/** `url` may be that of the page's server (`/ah/ws`), `ws://…` or `http://…`. */
export function connect(url: string, options?: Types.ConnectOptions): RoomsClient {
  return new RoomsClient(url, options)
}
