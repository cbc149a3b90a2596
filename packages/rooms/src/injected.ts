// A client without a socket: what tests of an app talk through.
import type { Connection, Outlet } from './connection.ts'
import type { Connections } from './connections.ts'
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
type Closed = { readonly code: number; readonly reason: string }

/** See {@link InjectedClient}. */
export class Injected implements InjectedClient {
  readonly #options: InjectedOptions
  readonly #connection: Connection
  readonly #messages: Message[] = []
  readonly #waiting = new Map<unknown, (reply: Message) => void>()
  #closed: Closed | undefined
  #asked = 0

  constructor(options: InjectedOptions) {
    this.#options = options
    const { request, identified, connections } = options
    const outlet: Outlet = {
      push: (parcel) => this.#hear(parcel),
      close: (code, reason) => this.#end({ code, reason }),
      drained: () => Promise.resolve(),
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

  async request(message: Message): Promise<Message> {
    this.#asked += 1
    const messageId = `injected ${this.#asked}`
    const reply = new Promise<Message>((resolve) => this.#waiting.set(messageId, resolve))
    await this.#options.protocol.hear(this.#connection, JSON.stringify({ ...message, messageId }))
    return reply
  }

  async close(): Promise<void> {
    this.#closed ??= { code: 1000, reason: '' }
    await this.#options.connections.close(this.#connection)
  }

  #end(closed: Closed): void {
    this.#closed ??= closed
    void this.#options.connections.close(this.#connection)
  }

  #hear({ texts }: Parcel): void {
    for (const text of texts) {
      const message = JSON.parse(text) as Message
      this.#messages.push(message)
      if (message['context'] !== 'response') continue
      this.#waiting.get(message['messageId'])?.(message)
      this.#waiting.delete(message['messageId'])
    }
  }
}
