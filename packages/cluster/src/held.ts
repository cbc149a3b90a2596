// What the primary has opened once its socket is bound, and how it lets go of that in the end.
import { toError } from 'fastify-ah-kit'
import type { Journal } from './journal.ts'
import type { Listener } from './listener.ts'
import type { Metering } from './metering.ts'
import type { Store } from './store.ts'
import type { Workforce } from './workforce.ts'

/** What is there once the socket is bound. */
export interface Held {
  /** Undefined if nobody takes connections. */
  readonly listener: Listener | undefined
  readonly store: Store | undefined
  readonly metering: Metering | undefined
  readonly workforce: Workforce
}

/** Closes what the workers needed; they are gone. Never rejects. */
export async function letGo({ store, metering }: Held, journal: Journal): Promise<void> {
  const closed = await Promise.allSettled([store?.close(), metering?.close()])
  for (const one of closed) {
    if (one.status === 'rejected') {
      journal.failed(toError(one.reason), 'the embedded store, or the port of the metrics, could not be closed')
    }
  }
}
