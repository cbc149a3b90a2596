// The shapes that callers of pub/sub pass and get.

/**
 * The messages of an app's channels by name, for TypeScript: add yours by
 * `declare module 'fastify-ah-pubsub' { interface AhChannels { '/orders': { id: number } } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: apps add their channels to it.
export interface AhChannels {}

/** The data of a channel: as {@link AhChannels} says, else unknown. */
export type ChannelData<Name extends string> = Name extends keyof AhChannels ? AhChannels[Name] : unknown

/** What is known of a message beside its data. */
export interface MessageInfo {
  /** The channel that it was published on, also for those who subscribed to a wildcard. */
  readonly channel: string
  /** Id of the node that published it; see `nodes()`. */
  readonly from: string
  /** When it left, in ms since 1970 by the clock of Redis. */
  readonly at: number
  /** Tells the message from every other. */
  readonly id: string
}

/** Hears a channel. What it throws or rejects with is logged, and keeps the message from nobody else. */
export type MessageHandler<Data = unknown> = (data: Data, info: MessageInfo) => unknown

/** One handler's hold on a channel. */
export interface ChannelSubscription {
  /** The channel or wildcard that was subscribed to. */
  readonly channel: string
  /** No message comes any more from now on; resolves when Redis knows. Twice is fine. */
  unsubscribe(): Promise<void>
}

/** How a typed channel checks. */
export interface ChannelOptions {
  /** A JSON schema: what does not fit it is refused where it is published and dropped where it arrives. */
  readonly schema?: object
}

/** A channel with one kind of data. */
export interface Channel<Data> {
  readonly name: string
  publish(data: Data): Promise<void>
  subscribe(handler: MessageHandler<Data>): Promise<ChannelSubscription>
}

/** Publish and subscribe below `/actionhero/app/`, signed: for the servers of the app alone. */
export interface InternalChannels {
  publish(channel: string, data: unknown): Promise<void>
  subscribe<Data = unknown>(channel: string, handler: MessageHandler<Data>): Promise<ChannelSubscription>
}

/** Hears the bytes of one Redis channel. Neither may throw; what they throw is logged. */
export interface RawListener {
  readonly onBytes: (bytes: Buffer) => void
  /** The connection was lost and is back: bytes may have been missed, from now on they are heard again. */
  readonly onGap: () => void
}

/** A hold on a Redis channel. */
export interface RawSubscription {
  /** Nothing is heard any more from now on; resolves when Redis knows. Twice is fine. */
  unsubscribe(): Promise<void>
}

/**
 * For plugins whose Lua scripts publish by themselves: their Redis channels, as they are called in Redis, on the connections
 * of pub/sub, with its probes and gaps. Nothing is checked or signed on the way.
 */
export interface RawSubscriptions {
  /** What a script has to publish with, so that it is heard. */
  readonly publishCommand: 'PUBLISH' | 'SPUBLISH'
  /**
   * One listener a channel. Resolves when Redis has confirmed it; rejects with `AH_PUBSUB_NOT_SUBSCRIBED` when it does not
   * within 5 s, with `AH_PUBSUB_CHANNEL` for a pattern, for one of pub/sub's own names, and where one listens already.
   */
  subscribe(redisName: string, listener: RawListener): Promise<RawSubscription>
}

/** Why messages may have been missed. */
export type GapReason =
  /** The connection that hears was lost, or was found to be deaf; it is back. */
  | 'connection'
  /** A number of a sender was left out. */
  | 'sequence'
  /** On Redis Cluster: the channel's slot moved to another master. */
  | 'moved'

/** Messages may have been missed. */
export interface Gap {
  /** The channels and wildcards that were subscribed to. */
  readonly channels: readonly string[]
  readonly reason: GapReason
  /** With `sequence`: whose messages. */
  readonly from?: string
}

/** A live process, or one app of it. */
export interface NodeInfo {
  /** The boot id of its process; a second app in one process has a number behind it. */
  readonly id: string
  /** `ACTIONHERO_TITLE`, else `<host>-<pid>`. */
  readonly title: string
  readonly host: string
  readonly pid: number
  /** `ACTIONHERO_ROLE`; null without one. */
  readonly role: string | null
  /** In ms since 1970 by the clock of Redis. */
  readonly startedAt: number
  /** The names that it handles calls of. */
  readonly handles: readonly string[]
}

/** What can be listened to by `on`. */
export interface PubSubEvents {
  nodeJoined: NodeInfo
  nodeLeft: NodeInfo
  gap: Gap
}

/** What a handler of calls knows of the caller. */
export interface CallInfo {
  /** Id of the node that asks. */
  readonly from: string
  /** Aborted when the caller waits no longer. */
  readonly signal: AbortSignal
}

/** Answers calls. */
export type CallHandler<Args = unknown> = (args: Args, info: CallInfo) => unknown

/** How a handler of calls checks. */
export interface HandleOptions {
  /** A JSON schema of the arguments: a call that does not fit it is refused with `AH_PUBSUB_INVALID`. */
  readonly schema?: object
}

/** How a call is made. */
export interface CallOptions {
  /** Id of the node that is asked; without it one of those that handle the name. */
  readonly node?: string
  /** How long it waits, in ms; default: the option `callTimeoutMs`. */
  readonly timeoutMs?: number
}

/** How a call of all nodes is made. */
export type CallAllOptions = Omit<CallOptions, 'node'>

/** What one node said. */
export type NodeAnswer<Result> =
  | { readonly node: string; readonly result: Result }
  | { readonly node: string; readonly error: Error }

/** What this app's pub/sub did so far. */
export interface PubSubStats {
  /** Messages that Redis took. */
  readonly published: number
  /** Messages that were handed to handlers here. */
  readonly received: number
  /** Frames that were not: by why. */
  readonly dropped: Readonly<Record<DropReason, number>>
  /** How often `gap` was told. */
  readonly gaps: number
  /** Errors of handlers. */
  readonly handlerErrors: number
  /** Calls that wait for an answer at this moment. */
  readonly pendingCalls: number
  /** Channels and wildcards that are subscribed to at this moment, those of this package included. */
  readonly subscriptions: number
}

/**
 * Why a frame was dropped. `tooLarge`: longer than a frame may be. `malformed`: no frame. `version`: of a release that
 * this one does not know. `foreign`: it names another channel. `forged`: not signed with the server token. `late`: signed,
 * and too old or of the future. `replayed`: a number that the sender has used. `invalid`: a message that does not fit
 * the schema of its channel.
 */
export type DropReason = 'tooLarge' | 'malformed' | 'version' | 'foreign' | 'forged' | 'late' | 'replayed' | 'invalid'
