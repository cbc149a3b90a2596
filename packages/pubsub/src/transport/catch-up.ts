// Asks Redis for the names that are wanted and not held, and the other way round, until there are none.
import { toError } from 'fastify-ah-kit'
import { AH_KIT_REDIS_REFUSED, type DedicatedConnection } from 'fastify-ah-kit/redis'
import type { HeldNames } from './held-names.ts'
import type { OpenSocket } from './open-socket.ts'
import type { SubscribeVerbs } from './verbs.ts'

/** What it works with. */
export interface CatchUpOptions {
  readonly names: HeldNames
  readonly dedicated: DedicatedConnection
  readonly socket: OpenSocket
  readonly verbs: SubscribeVerbs
  /** A name was refused because another server serves it. */
  readonly onMisplaced: () => void
}

interface Batch {
  readonly add: string[]
  readonly drop: string[]
}

// Most names in one SUBSCRIBE.
const mostAtOnce = 500
// How long Redis may take to answer for them.
const answerMs = 5_000

/** Until nothing is dirty, or `isReady` says no. Rejects when Redis cannot be asked; the names are dirty again then. */
export async function catchUp(options: CatchUpOptions, isReady: () => boolean): Promise<void> {
  while (isReady()) {
    const batch = options.names.take(mostAtOnce)
    if (namesOf(batch).length === 0) return
    await ask(options, batch)
  }
}

async function ask(options: CatchUpOptions, batch: Batch): Promise<void> {
  const { names, dedicated, socket, verbs } = options
  const { signal } = socket
  try {
    await dedicated.wait('subscribe', (client) => socket.while(() => verbs.send(client, batch)), answerMs)
  } catch (thrown) {
    const error = toError(thrown)
    if (error instanceof AH_KIT_REDIS_REFUSED) {
      await explain(options, batch, error)
      return
    }
    names.putBack(namesOf(batch))
    throw error
  }
  // An answer of a socket that is gone by now says nothing.
  if (signal.aborted) names.putBack(namesOf(batch))
  else names.confirm(batch)
}

/** Redis refused one of them, and did not say which. */
async function explain(options: CatchUpOptions, batch: Batch, error: Error): Promise<void> {
  const { names, onMisplaced } = options
  if (namesOf(batch).length > 1) {
    await askOneByOne(options, batch)
    return
  }
  if (isRedirected(error)) {
    names.putBack(namesOf(batch))
    onMisplaced()
    throw error
  }
  for (const name of batch.add) names.refuse(name, error)
  // A right that was taken away has taken the subscription with it.
  names.confirm({ add: [], drop: batch.drop })
}

async function askOneByOne(options: CatchUpOptions, { add, drop }: Batch): Promise<void> {
  const batches = [
    ...drop.map((name) => ({ add: [], drop: [name] })),
    ...add.map((name) => ({ add: [name], drop: [] })),
  ]
  for (const [index, batch] of batches.entries()) {
    try {
      await ask(options, batch)
    } catch (thrown) {
      options.names.putBack(batches.slice(index + 1).flatMap(namesOf))
      throw thrown
    }
  }
}

function namesOf({ add, drop }: Batch): string[] {
  return [...add, ...drop]
}

function isRedirected(error: Error): boolean {
  return error.cause instanceof Error && /^(MOVED|ASK|CLUSTERDOWN) /.test(error.cause.message)
}
