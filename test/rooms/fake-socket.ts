// Owns a WebSocket that the test plays the server of: for moments that a real one does not stop in.
import type { ConnectOptions, SocketLike } from 'fastify-ah-rooms/client'

type Message = Readonly<Record<string, unknown>>

/** One that the client has opened. */
export class FakeSocket implements SocketLike {
  readyState = 0
  readonly sent: Message[] = []
  closedBy: number | undefined
  readonly #listeners = new Map<string, (event: never) => void>()

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, listener)
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Message)
  }

  close(code = 1005): void {
    this.closedBy ??= code
    this.readyState = 3
  }

  open(): void {
    this.readyState = 1
    this.#tell('open', {})
    this.say({ context: 'api', welcome: 'Welcome!' })
  }

  say(message: Message): void {
    this.#tell('message', { data: JSON.stringify(message) })
  }

  /** The answer to the last message of that kind. */
  answer(event: string, reply: Message): void {
    const asked = this.sent.findLast((message) => message['event'] === event)
    if (asked === undefined) throw new Error(`nobody has asked for ${event}: ${JSON.stringify(this.sent)}`)
    this.say({ context: 'response', messageId: asked['messageId'], status: 'OK', ...reply })
  }

  end(code: number, reason = ''): void {
    this.readyState = 3
    this.#tell('close', { code, reason })
  }

  #tell(type: string, event: object): void {
    this.#listeners.get(type)?.(event as never)
  }
}

/** What a client takes for its WebSocket, and those that it has opened with it, in their order. */
export function fakeSockets(): {
  readonly WebSocket: NonNullable<ConnectOptions['WebSocket']>
  readonly sockets: FakeSocket[]
} {
  const sockets: FakeSocket[] = []
  class Opened extends FakeSocket {
    constructor() {
      super()
      sockets.push(this)
    }
  }
  return { WebSocket: Opened, sockets }
}
