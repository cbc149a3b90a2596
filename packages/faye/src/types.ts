// The shapes that the app's hooks get, and that the parts hand to each other.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** The HTTP request that a message came in by: a POST, or the one that a websocket began with. */
export interface FayeRequest {
  readonly headers: IncomingHttpHeaders
  readonly url: string
  /** The peer's address as Fastify sees it, with its `trustProxy`. */
  readonly ip: string | undefined
  readonly raw: IncomingMessage
}

/** What a hook decides about. */
export interface FayeQuestion {
  readonly request: FayeRequest
  /** The client's; undefined for a handshake, and for a message that was sent without one. */
  readonly clientId: string | undefined
  /** What the client's own extensions put beside the message, a token say. Any JSON. */
  readonly ext: unknown
}

/** May the client have the channel, or wildcard? */
export interface FayeSubscribeQuestion extends FayeQuestion {
  readonly channel: string
}

/** May it send this there? */
export interface FayePublishQuestion extends FayeSubscribeQuestion {
  readonly data: unknown
}

/** A hook's answer: only true is a yes. */
export type FayeAnswer = boolean | Promise<boolean>

/** Who may do what. Without a hook everybody may. A hook that throws is logged, and means no. */
export interface FayeAuthorize {
  readonly handshake?: (question: FayeQuestion) => FayeAnswer
  readonly subscribe?: (question: FayeSubscribeQuestion) => FayeAnswer
  readonly publish?: (question: FayePublishQuestion) => FayeAnswer
}

/** A websocket, as far as a client's messages need it. */
export interface PeerSocket {
  /** One frame, of messages as JSON; false if it is closing, so that nothing can be sent any more. */
  send(texts: readonly string[]): boolean
  close(): void
}

/** Where a message came from, and where its replies go. */
export interface Peer {
  readonly request: FayeRequest
  /** Undefined for a POST: it takes messages with its reply alone. */
  readonly socket: PeerSocket | undefined
  /** Aborted when nobody is there any more. */
  readonly gone: AbortSignal
}
