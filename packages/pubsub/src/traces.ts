// What happens, for those who listen on diagnostics_channel: nothing is made for nobody.
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'

/** Of a `publish`. */
export interface PublishTrace {
  readonly channel: unknown
  readonly data: unknown
}

/** Of a `call` or `callAll`, and of a run of a handler. */
export interface CallTrace {
  readonly name: unknown
  /** Who is asked; who asks, where a handler runs; undefined by `callAll`, and by `call` of any node. */
  readonly node: unknown
  readonly args: unknown
}

/** Of `tracing:fastify-ah-pubsub:<verb>:start`, `:end`, `:asyncStart`, `:asyncEnd`, `:error`. */
export const traces = {
  publish: tracingChannel('fastify-ah-pubsub:publish'),
  call: tracingChannel('fastify-ah-pubsub:call'),
  /** A run of a handler of calls in this process. */
  handle: tracingChannel('fastify-ah-pubsub:handle'),
} as const

/** Runs `work`, told to those who listen. */
export function traced<T>(
  trace: TracingChannel,
  context: () => PublishTrace | CallTrace,
  work: () => Promise<T>,
): Promise<T> {
  return trace.hasSubscribers ? trace.tracePromise(work, context()) : work()
}
