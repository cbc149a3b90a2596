// The shapes that callers of the rooms pass and get.

/** The request that a connection began with. */
export interface ConnectRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** As the client asked for it, with its query. */
  readonly url: string
  /** As `request.ip` of a route: with Fastify's `trustProxy` what the proxies say. '' on a unix socket without that. */
  readonly ip: string
  /** Of the TCP connection: behind a proxy, that of the proxy. */
  readonly remoteAddress?: string | undefined
}

/** What `authorize.connect` says of who may connect. */
export interface Identified {
  /** Who that is; the same on all of one's devices. */
  readonly user?: string
  /** Kept on the connection, here alone; never sent. */
  readonly data?: unknown
}

/** A client's connection, as hooks and handlers get it. */
export interface RoomConnection {
  readonly id: string
  readonly user: string | undefined
  readonly data: unknown
  /** What ActionHero's client says of its cookie, else the id. It proves nothing: whoever connects may say anything. */
  readonly fingerprint: string
  readonly request: ConnectRequest
  /** In ms since 1970. */
  readonly connectedAt: number
  /** The rooms that it is a member of. */
  readonly rooms: readonly string[]
  /** Sends it `{ context: 'user', … }` from the server. */
  send(message: unknown): void
  /** Closes it; default 1000. */
  disconnect(options?: DisconnectOptions): void
}

/** How a connection is closed. */
export interface DisconnectOptions {
  /** 1000, or of one's own from 4000 to 4999. 4400 to 4499: the client does not come again. Default 1000. */
  readonly code?: number
  /** At most 123 bytes. */
  readonly reason?: string
}

/** Who may do what; what is not there allows everything. Anything but what is written here is no. */
export interface Authorize {
  readonly connect?: (request: ConnectRequest) => Identified | false | Promise<Identified | false>
  readonly join?: (connection: RoomConnection, room: string) => boolean | Promise<boolean>
  readonly say?: (connection: RoomConnection, room: string, message: unknown) => boolean | Promise<boolean>
}

/** A message on its way through middleware. */
export interface RoomMessage {
  readonly context: 'user'
  readonly room: string
  /** Id of the connection, '0' for the server. */
  readonly from: string
  readonly message: unknown
  /** In ms since 1970; by Redis once it is said. */
  readonly sentAt: number
  readonly [more: string]: unknown
}

type Awaitable<T> = T | Promise<T>

/** As in ActionHero: in the order of `priority`, then of `addMiddleware`; what throws blocks. */
export interface RoomMiddleware {
  readonly name: string
  /** The lower, the earlier; default 100. */
  readonly priority?: number
  /** Throws: the connection does not get in. */
  readonly join?: (connection: RoomConnection, room: string) => Awaitable<unknown>
  /** Throws: it does not get out; one that disconnects does. */
  readonly leave?: (connection: RoomConnection, room: string) => Awaitable<unknown>
  /**
   * Once for each message, before it is said. Answers the message, with another `message` in it or not (nothing else of it
   * counts); throws: it is not said, and who says it hears why; null: it is not said, and nobody is told.
   */
  readonly onSayReceive?: (
    connection: RoomConnection | null,
    room: string,
    message: RoomMessage,
  ) => Awaitable<RoomMessage | null>
  /** For each message and receiver, where the receiver is. Answers what this one gets; null: nothing; throws: likewise. */
  readonly say?: (connection: RoomConnection, room: string, message: RoomMessage) => Awaitable<RoomMessage | null>
}

/** What is kept of a member in Redis. */
export type MemberDetails = Readonly<Record<string, unknown>>

/** What `roomStatus` answers. */
export interface RoomStatus {
  readonly room: string
  readonly members: Readonly<Record<string, MemberDetails>>
  readonly membersCount: number
}

/** A room, or all connections of a user. */
export type Target = string | { readonly user: string }

/** One connection's answer to an event. */
export interface EventAnswer {
  /** Id of the connection. */
  readonly from: string
  readonly data: unknown
}

/** Those whom an event is for. */
export interface Receivers {
  /**
   * To a room: in one order with what is said, kept for those who come back. To a user: to all connections of now.
   * Resolves when Redis has it, or all nodes have sent it.
   */
  emit(event: string, data?: unknown): Promise<void>
  /** Sends it to all connections of now, and gathers what they answer within `timeoutMs`, default 5000. */
  emitWithAck(event: string, data?: unknown, options?: { readonly timeoutMs?: number }): Promise<readonly EventAnswer[]>
}

/** Answers an event that a client has emitted; what it answers is the acknowledgement. */
export type EventHandler = (data: unknown, connection: RoomConnection) => unknown

/** Who came to a room or went. Each is told on one node: that of the connection, or the one that buried a dead node. */
export interface MembershipChange {
  readonly room: string
  readonly connectionId: string
  /** On the connection's own node. */
  readonly connection: RoomConnection | undefined
  /** As generated when it joined. */
  readonly details: MemberDetails
}

/** Whom `app.rooms.inject()` lets in, without `authorize.connect` if `user` or `data` are given. */
export interface InjectOptions extends Identified {
  readonly headers?: ConnectRequest['headers']
  readonly url?: string
}

/** A client without a socket, for tests. */
export interface InjectedClient {
  readonly id: string
  readonly connection: RoomConnection
  /** All that it was sent, in order, as it came out of JSON. */
  readonly messages: readonly Readonly<Record<string, unknown>>[]
  /**
   * Sends a message of the protocol, and answers the reply to it, `{}` to `ack`, `quit` and `exit`. Rejects with
   * `AH_ROOMS_CLOSED` if it is closed before that.
   */
  request(message: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>
  /** Code and reason, once the server has closed it. */
  readonly closed: { readonly code: number; readonly reason: string } | undefined
  /** Resolves when it has left its rooms. */
  close(): Promise<void>
}

/** What can be listened to, beside events of clients. */
export interface RoomsEvents {
  connection: RoomConnection
  disconnect: RoomConnection
  join: MembershipChange
  leave: MembershipChange
}

/** What happened here so far, in numbers. */
export interface RoomsStats {
  readonly connections: number
  /** Rooms with members here. */
  readonly rooms: number
  /** Messages of rooms that were heard from Redis. */
  readonly heard: number
  /** Bytes on rooms' channels that were none of ours. */
  readonly dropped: number
  /** How often messages may have been missed by members here, since nobody could say. */
  readonly gaps: number
  /** Connections that were cut because they did not read. */
  readonly cut: number
  /** Handshakes that were not let in: their origin, or what `authorize.connect` said. */
  readonly refused: number
  /** Messages of clients that came faster than allowed. */
  readonly tooFast: number
}
