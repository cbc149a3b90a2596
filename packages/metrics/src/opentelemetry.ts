// Spans of OpenTelemetry for jobs and messages, made of what the plugins tell on diagnostics_channel.
import { tracingChannel } from 'node:diagnostics_channel'
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api'
import { type Around, type Carrier, toError } from 'fastify-ah-kit'

/** What is used of `@opentelemetry/api`: hand in the whole module. */
export type OpenTelemetryApi = Pick<
  typeof import('@opentelemetry/api'),
  | 'context'
  | 'isSpanContextValid'
  | 'propagation'
  | 'ROOT_CONTEXT'
  | 'SpanKind'
  | 'SpanStatusCode'
  | 'trace'
  | 'TraceFlags'
>

/** How spans are made. */
export interface TraceOptions {
  /**
   * Whether what was asked for outside of any trace may begin one: an enqueue by a timer, a run of a job that carries no
   * context. Default true: the sampler decides.
   */
  readonly roots?: boolean
}

/** What is told of an enqueue, a run, a publish or a delivery, as far as spans show it. */
interface Told {
  readonly carrier?: Carrier | Record<string, string> | undefined
  readonly surround?: (around: Around) => void
  readonly error?: unknown
  readonly task?: string
  readonly queue?: string
  readonly id?: string | undefined
  readonly attempt?: number
  readonly channel?: unknown
  readonly from?: string
  readonly name?: unknown
  readonly node?: unknown
}

/** A channel, and the spans that are made of what is told on it. */
interface Kind {
  readonly channel: string
  /** Low in variety: a task's name is, a channel's is not. */
  readonly name: (told: Told) => string
  readonly attributes: (told: Told) => Attributes
  /** `PRODUCER` and `CLIENT` begin what others take up, `CONSUMER` and `SERVER` take it up. */
  readonly kind: 'PRODUCER' | 'CONSUMER' | 'CLIENT' | 'SERVER'
}

const system = 'fastify-ah'

const kinds: readonly Kind[] = [
  {
    channel: 'fastify-ah-tasks:enqueue',
    kind: 'PRODUCER',
    name: ({ task }) => `enqueue ${task}`,
    attributes: ({ task }) => messaging('enqueue', 'send', { 'fastify_ah.task': task }),
  },
  {
    channel: 'fastify-ah-tasks:job',
    kind: 'CONSUMER',
    name: ({ task }) => `run ${task}`,
    attributes: ({ task, queue, id, attempt }) =>
      messaging('run', 'process', {
        'fastify_ah.task': task,
        'fastify_ah.attempt': attempt,
        'messaging.destination.name': queue,
        'messaging.message.id': id,
      }),
  },
  {
    channel: 'fastify-ah-pubsub:publish',
    kind: 'PRODUCER',
    name: () => 'publish',
    attributes: ({ channel }) => messaging('publish', 'send', { 'messaging.destination.name': String(channel) }),
  },
  {
    channel: 'fastify-ah-pubsub:deliver',
    kind: 'CONSUMER',
    name: () => 'deliver',
    attributes: ({ channel, from }) =>
      messaging('deliver', 'process', { 'messaging.destination.name': String(channel), 'fastify_ah.from': from }),
  },
  {
    channel: 'fastify-ah-pubsub:call',
    kind: 'CLIENT',
    name: ({ name }) => `call ${String(name)}`,
    attributes: ({ name, node }) => calling(name, node),
  },
  {
    channel: 'fastify-ah-pubsub:handle',
    kind: 'SERVER',
    name: ({ name }) => `handle ${String(name)}`,
    attributes: ({ name, node }) => calling(name, node),
  },
]

/** What begins something that is taken up elsewhere. */
const beginnings: ReadonlySet<Kind['kind']> = new Set(['PRODUCER', 'CLIENT'])

/**
 * Makes spans from now on, in the whole process: of each enqueue and run of a job, each publication and each run of a
 * channel's handler, each call of another node and each run of its handler. Jobs, messages and calls that are made in a sampled span carry its context (W3C, by the propagator that is
 * registered), so that what comes of them, in whatever process, belongs to the same trace. Answers how to stop.
 */
export function traceFastifyAh(api: OpenTelemetryApi, { roots = true }: TraceOptions = {}): () => void {
  const tracer = api.trace.getTracer('fastify-ah-metrics')
  const stops = kinds.map((kind) => follow(kind, new Spans(api, tracer, roots)))
  return () => {
    for (const stop of stops) stop()
  }
}

function follow(kind: Kind, spans: Spans): () => void {
  const channel = tracingChannel<Told, Told>(kind.channel)
  const failed = new WeakSet<Told>()
  const subscribers = {
    start: (told: Told) => spans.begin(kind, told),
    // Of what threw at once nothing more comes.
    end: (told: Told) => {
      if (failed.has(told)) spans.end(told, true)
    },
    asyncStart: () => undefined,
    asyncEnd: (told: Told) => spans.end(told, failed.has(told)),
    error: (told: Told) => {
      failed.add(told)
    },
  }
  channel.subscribe(subscribers)
  return () => {
    channel.unsubscribe(subscribers)
  }
}

/** The spans that are open, by what was told at their start. */
class Spans {
  readonly #api: OpenTelemetryApi
  readonly #tracer: Tracer
  readonly #roots: boolean
  readonly #open = new WeakMap<Told, Span>()

  constructor(api: OpenTelemetryApi, tracer: Tracer, roots: boolean) {
    this.#api = api
    this.#tracer = tracer
    this.#roots = roots
  }

  begin({ name, attributes, kind }: Kind, told: Told): void {
    const { trace, context, propagation, SpanKind, TraceFlags, ROOT_CONTEXT } = this.#api
    const isBeginning = beginnings.has(kind)
    const parent = isBeginning ? context.active() : propagation.extract(ROOT_CONTEXT, told.carrier ?? {})
    if (!this.#roots && !this.#isTraced(parent)) return
    const span = this.#tracer.startSpan(name(told), { kind: SpanKind[kind], attributes: attributes(told) }, parent)
    this.#open.set(told, span)
    const inside = trace.setSpan(parent, span)
    if (!isBeginning) told.surround?.((work) => context.with(inside, work))
    // What nobody records need not be carried: bare jobs stay bare.
    else if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) propagation.inject(inside, told.carrier)
  }

  end(told: Told, isFailed: boolean): void {
    const span = this.#open.get(told)
    if (span === undefined) return
    this.#open.delete(told)
    if (isFailed) {
      const error = toError(told.error)
      span.recordException(error)
      span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: error.message })
    }
    span.end()
  }

  #isTraced(parent: Context): boolean {
    const found = this.#api.trace.getSpanContext(parent)
    return found !== undefined && this.#api.isSpanContextValid(found)
  }
}

/** As OpenTelemetry's conventions for messaging have it; what is not known is left out. */
function messaging(name: string, type: 'send' | 'process', more: Attributes): Attributes {
  return {
    'messaging.system': system,
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)),
  }
}

function calling(name: unknown, node: unknown): Attributes {
  return {
    'rpc.system': system,
    'rpc.method': String(name),
    ...(node === undefined ? {} : { 'fastify_ah.node': String(node) }),
  }
}
