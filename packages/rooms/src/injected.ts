// A client without a socket: what tests of an app talk through.
import type { Connection, Outlet } from './connection.ts'
import type { Connections } from './connections.ts'
import { AH_ROOMS_CLOSED } from './errors.ts'
import type { Parcel } from './parcel.ts'
import type { Protocol } from './protocol.ts'
import type { ConnectRequest, Identified, InjectedClient, RoomConnection } from './types.ts'

/** What it works with. */
export interface InjectedOptions {
  readonly connections: Connections
  readonly protocol: Protocol
  readonly request: ConnectRequest
  readonly identified: Identified
}

type Message = Readonly<Record<string, unknown>>
type Waiting = { readonly take: (reply: Message) => void; readonly give: (error: Error) => void }
type Closed = { readonly code: number; readonly reason: string }

// They have no answer.
const mute = new Set<unknown>(['ack', 'quit', 'exit'])

/** See {@link InjectedClient}. */
export class Injected implements InjectedClient {
  readonly #options: InjectedOptions
  readonly #connection: Connection
  readonly #messages: Message[] = []
  readonly #waiting = new Map<unknown, Waiting>()
  #closed: Closed | undefined
  #asked = 0

  constructor(options: InjectedOptions) {
    this.#options = options
    const { request, identified, connections } = options
    const outlet: Outlet = {
      push: (parcel) => this.#hear(parcel),
      close: (code, reason) => void this.#end({ code, reason }),
      drained: () => Promise.resolve(),
      fits: () => true,
    }
    this.#connection = connections.open({ request, identified, outlet })
  }

  get id(): string {
    return this.#connection.id
  }

  get connection(): RoomConnection {
    return this.#connection
  }

  get messages(): readonly Message[] {
    return this.#messages
  }

  get closed(): Closed | undefined {
    return this.#closed
  }

  request(message: Message): Promise<Message> {
    const answered = this.#request(message)
    // Who does not wait for the answer does not care that it was closed before.
    answered.catch(() => undefined)
    return answered
  }

  async close(): Promise<void> {
    await this.#end({ code: 1000, reason: '' })
  }

  async #request(message: Message): Promise<Message> {
    if (this.#closed !== undefined) throw new AH_ROOMS_CLOSED()
    this.#asked += 1
    const messageId = `injected ${this.#asked}`
    const reply = new Promise<Message>((take, give) => this.#waiting.set(messageId, { take, give }))
    const taken = this.#options.protocol.hear(this.#connection, JSON.stringify({ ...message, messageId }))
    if (!mute.has(message['event'])) return reply
    this.#waiting.delete(messageId)
    await taken
    return {}
  }

  async #end(closed: Closed): Promise<void> {
    this.#closed ??= closed
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { give } of waiting) give(new AH_ROOMS_CLOSED())
    await this.#options.connections.close(this.#connection)
  }

  #hear({ texts }: Parcel): void {
    for (const text of texts) {
      const message = JSON.parse(text) as Message
      this.#messages.push(message)
      if (message['context'] !== 'response') continue
      this.#waiting.get(message['messageId'])?.take(message)
      this.#waiting.delete(message['messageId'])
    }
  }
}
