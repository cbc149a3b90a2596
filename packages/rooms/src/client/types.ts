// The shapes that users of the client pass and get.

/**
 * What is said and asked in an app's rooms, for TypeScript: add yours by
 * `declare module 'fastify-ah-rooms/client' { interface AhRooms { messages: { lobby: { text: string } }, events: { double: { data: number, ack: number } }, actions: { sum: { params: { terms: number[] }, reply: { sum: number } } } } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: apps add theirs to it.
export interface AhRooms {}

type Part<Name extends string> = AhRooms extends { readonly [key in Name]: infer Value } ? Value : unknown
type Of<Name extends string, Key extends string, Member extends string> =
  Part<Name> extends { readonly [key in Key]: { readonly [member in Member]: infer Value } } ? Value : unknown

/** What is said in a room: as {@link AhRooms} says, else unknown. */
export type MessageOf<Room extends string> =
  Part<'messages'> extends { readonly [key in Room]: infer Value } ? Value : unknown
/** What goes with an event. */
export type DataOf<Event extends string> = Of<'events', Event, 'data'>
/** What acknowledges it. */
export type AckOf<Event extends string> = Of<'events', Event, 'ack'>
/** What an action takes. */
export type ParamsOf<Action extends string> = Of<'actions', Action, 'params'>
/** What it answers. */
export type ReplyOf<Action extends string> = Of<'actions', Action, 'reply'>

/** As much of a WebSocket as is used. */
export interface SocketLike {
  readonly readyState: number
  send(text: string): void
  close(code?: number, reason?: string): void
  addEventListener(type: string, listener: (event: never) => void): void
}

/** How a client connects. */
export interface ConnectOptions {
  /** Asked for each attempt, and sent as `token` in the query, for `authorize.connect`. */
  readonly token?: () => string | Promise<string>
  /** Default: the global one; Node before 22 has none. */
  readonly WebSocket?: new (
    url: string,
  ) => SocketLike
  /** How long a request may take, the wait for a connection included, in ms; default 10 000. */
  readonly timeoutMs?: number
  /** The first wait before another attempt is a random time up to this, in ms, doubled with each; default 1000. */
  readonly minDelayMs?: number
  /** The longest, in ms; default 30 000. */
  readonly maxDelayMs?: number
  /** Most requests that wait for a connection; default 30: with a room's return, fewer than a server takes at once. */
  readonly maxQueued?: number
  /** After so long a silence the server is asked whether it is there, in ms; default 45 000. */
  readonly idleMs?: number
}

/** How a request is made. */
export interface RequestOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** What somebody said. */
export interface Said<Message = unknown> {
  readonly room: string
  /** Id of the connection, '0' for the server. */
  readonly from: string
  readonly message: Message
  /** In ms since 1970, by Redis. */
  readonly sentAt: number
  readonly id: string
}

/** The server tells something by name. */
export interface Told {
  readonly event: string
  readonly data: unknown
  readonly room?: string
  readonly from?: string
}

/** What can be listened to. */
export interface ClientEvents {
  /** There is a connection. */
  connect: undefined
  /** There is none any more; another is tried for, unless it is closed. */
  disconnect: { readonly code: number; readonly reason: string }
  /** For good: by `close()`, or by a code after which nobody comes again. */
  closed: { readonly code: number; readonly reason: string }
  message: Said
  event: Told
  /** It is a member, again if `recovered` says whether all that was missed follows. */
  joined: { readonly room: string; readonly recovered: boolean }
  /** It is no member: the server says so, or did not let it in again. */
  left: { readonly room: string; readonly reason: string }
  /** Messages may be missing, and nobody can say which. */
  gap: { readonly room: string }
  /** Anything else that the server says. */
  api: Readonly<Record<string, unknown>>
}

/** Who is in a room. */
export interface RoomView {
  readonly room: string
  readonly members: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly membersCount: number
}

/** A file of the server. */
export interface ServedFile {
  readonly content: string
  /** Where the file is no text: what `content` is. */
  readonly encoding?: 'base64'
  /** As its name has it. */
  readonly mime: string
  /** In bytes. */
  readonly length: number
  /** As in `toISOString()`. */
  readonly lastModified: string
}
