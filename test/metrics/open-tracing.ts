// OpenTelemetry's SDK, as an app sets it up; spans are handed out when they end.
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
} from '@opentelemetry/sdk-trace-base'

/** What a test looks at. */
export interface SeenSpan {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parent: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
  /** Of a failure. */
  readonly error: string | undefined
  readonly pid: number
}

/** Roots that are called `unsampled` are not sampled; what has a parent is as that one. */
const byName: Sampler = {
  shouldSample: (_context, _traceId, name) => ({
    decision: name === 'unsampled' ? SamplingDecision.NOT_RECORD : SamplingDecision.RECORD_AND_SAMPLED,
  }),
  toString: () => 'by name',
}

/** Registers the SDK for this process, once. */
export function openTracing(onSpan: (span: SeenSpan) => void): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const done = async (): Promise<void> => undefined
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({
      sampler: new ParentBasedSampler({ root: byName }),
      spanProcessors: [
        { onStart: () => undefined, onEnd: (span) => onSpan(seen(span)), forceFlush: done, shutdown: done },
      ],
    }),
  )
}

function seen(span: ReadableSpan): SeenSpan {
  const { name, kind, attributes, parentSpanContext, status } = span
  const { traceId, spanId } = span.spanContext()
  const error = status.message
  return { name, kind, traceId, spanId, parent: parentSpanContext?.spanId, attributes, error, pid: process.pid }
}
