// What happens, for those who listen on diagnostics_channel: nothing is made for nobody.
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import { type Around, type Carrier, carrierIn, Surroundings } from 'fastify-ah-kit'

/** Of a `publish`. */
export interface PublishTrace {
  readonly channel: unknown
  readonly data: unknown
  /**
   * What a subscriber of `start` writes here, texts of 512 characters at most, the message carries along to those who hear
   * it: `traceparent` and `tracestate`. Nothing: it carries nothing.
   */
  readonly carrier: Record<string, string>
}

/** Of a run of a handler of a channel. */
export interface DeliverTrace {
  readonly channel: string
  readonly data: unknown
  /** Id of the node that published it. */
  readonly from: string
  /** What the message carries. */
  readonly carrier: Carrier | undefined
  /** For subscribers of `start`: has the handler run inside of `around`, in another context for example. */
  readonly surround: (around: Around) => void
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
  /** A run of a handler of a channel in this process; not of a handler of `raw` or of this package's own channels. */
  deliver: tracingChannel('fastify-ah-pubsub:deliver'),
  call: tracingChannel('fastify-ah-pubsub:call'),
  /** A run of a handler of calls in this process. */
  handle: tracingChannel('fastify-ah-pubsub:handle'),
} as const

/** Runs `work`, told to those who listen. */
export function traced<T>(trace: TracingChannel, context: () => CallTrace, work: () => Promise<T>): Promise<T> {
  return trace.hasSubscribers ? trace.tracePromise(work, context()) : work()
}

/** Calls a handler with what it is given, told to those who listen. */
export function tracedDelivery(
  message: Omit<DeliverTrace, 'carrier' | 'surround'> & { readonly carried: unknown },
  handle: () => unknown,
): Promise<unknown> {
  const { carried, ...facts } = message
  const surroundings = new Surroundings()
  const context: DeliverTrace = {
    ...facts,
    carrier: carried === undefined ? undefined : carrierIn(carried),
    surround: surroundings.add,
  }
  // At once, as without a trace: handlers see messages in their order.
  return traces.deliver.tracePromise(async () => surroundings.run(handle), context)
}
