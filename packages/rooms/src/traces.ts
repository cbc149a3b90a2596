// What happens, for those who listen on diagnostics_channel: nothing is made for nobody.
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'

/** What a subscriber gets; `result` and `error` come from Node, as of any tracing channel. */
export interface RoomsTrace {
  /** Id of the connection; '0' is the server. */
  readonly connection: string
  readonly room?: string
  /** What is said. */
  readonly message?: unknown
  /** Of an event. */
  readonly event?: string
  readonly data?: unknown
  /** Of an action, its name among them. */
  readonly params?: unknown
  result?: unknown
  error?: unknown
}

const channel = (what: string): TracingChannel => tracingChannel(`fastify-ah-rooms:${what}`)

/** Of `tracing:fastify-ah-rooms:<what>:start`, `:end`, `:asyncStart`, `:asyncEnd`, `:error`. */
export const traces = {
  join: channel('join'),
  leave: channel('leave'),
  /** A message that middleware has let through, until Redis has it. */
  say: channel('say'),
  /** An event for a room, likewise. */
  emit: channel('emit'),
  /** A run of the handler of a client's event. */
  event: channel('event'),
  /** A call of a route. */
  action: channel('action'),
} as const

/** Runs `work`, told to those who listen. */
export function traced<T>(trace: TracingChannel, context: () => RoomsTrace, work: () => Promise<T>): Promise<T> {
  return trace.hasSubscribers ? trace.tracePromise(work, context()) : work()
}
