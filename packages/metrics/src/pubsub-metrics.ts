// Measures pub/sub, by the counts that it keeps itself.
import type { Instruments, Readings } from './instruments.ts'
import type { MeasuredPubsub } from './types.ts'

type Stats = ReturnType<MeasuredPubsub['stats']>

/** `all`: by their decorator. */
export function measurePubsub(all: ReadonlyMap<string, MeasuredPubsub>, instruments: Instruments): void {
  const labels = ['pubsub']
  const each = (read: (stats: Stats) => number) => (): Readings =>
    [...all].map(([pubsub, measured]) => [{ pubsub }, read(measured.stats())] as const)
  instruments.counted(
    { name: 'pubsub_published_total', help: 'Messages that Redis has taken, those of the servers among them.', labels },
    each(({ published }) => published),
  )
  instruments.counted(
    { name: 'pubsub_delivered_total', help: 'Messages that were handed to the handlers of a subscription.', labels },
    each(({ received }) => received),
  )
  instruments.counted(
    { name: 'pubsub_gaps_total', help: 'How often messages may have been missed.', labels },
    each(({ gaps }) => gaps),
  )
  instruments.counted(
    { name: 'pubsub_handler_errors_total', help: 'Handlers that threw or rejected.', labels },
    each(({ handlerErrors }) => handlerErrors),
  )
  instruments.counted(
    { name: 'pubsub_dropped_total', help: 'Messages that were not handed on, and why.', labels: ['pubsub', 'reason'] },
    () =>
      [...all].flatMap(([pubsub, measured]) =>
        Object.entries(measured.stats().dropped).map(([reason, count]) => [{ pubsub, reason }, count] as const),
      ),
  )
  instruments.shown(
    { name: 'pubsub_subscriptions', help: 'Channels that processes are subscribed to.', labels },
    each(({ subscriptions }) => subscriptions),
  )
  instruments.shown(
    { name: 'pubsub_pending_calls', help: 'Calls of other nodes that are not answered yet.', labels },
    each(({ pendingCalls }) => pendingCalls),
  )
}
