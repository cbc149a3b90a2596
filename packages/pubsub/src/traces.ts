// What happens, for those who listen on diagnostics_channel: nothing is made for nobody.
import { tracingChannel } from 'node:diagnostics_channel'
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

/** Of a `call` or `callAll`. */
export interface CallTrace {
  readonly name: unknown
  /** Who is asked; undefined by `callAll`, and by `call` of any node. */
  readonly node: unknown
  readonly args: unknown
  /** As that of a publication: the call carries it to its handlers. */
  readonly carrier: Record<string, string>
}

/** Of a run of a handler of calls. */
export interface HandleTrace {
  readonly name: unknown
  /** Who asks. */
  readonly node: unknown
  readonly args: unknown
  /** What the call carries. */
  readonly carrier: Carrier | undefined
  /** As of a delivery. */
  readonly surround: (around: Around) => void
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

/** Makes a call, told to those who listen: they have written into the carrier by the time `work` runs. */
export function tracedCall<T>(
  call: Omit<CallTrace, 'carrier'>,
  work: (carrier: Carrier | undefined) => Promise<T>,
): Promise<T> {
  if (!traces.call.hasSubscribers) return work(undefined)
  const context: CallTrace = { ...call, carrier: {} }
  return traces.call.tracePromise(() => work(carrierIn(context.carrier)), context)
}

/** Runs a handler of calls, told to those who listen. */
export function tracedHandle<T>(
  call: Omit<HandleTrace, 'carrier' | 'surround'>,
  carried: unknown,
  work: () => Promise<T>,
): Promise<T> {
  if (!traces.handle.hasSubscribers) return work()
  const surroundings = new Surroundings()
  const context: HandleTrace = { ...call, carrier: carrierIn(carried), surround: surroundings.add }
  return traces.handle.tracePromise(() => surroundings.run(work), context)
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
