// The id of a request, with all that is done for it: here, in the jobs that it enqueues, in the messages that it publishes.
import { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { Around, Carrier } from 'fastify-ah-kit'

/** In a carrier; fastify-ah-tasks writes it into the lines of a job as `reqId`. */
const carried = 'x-request-id'
const longest = 256

const storageSymbol = Symbol.for('fastify-ah.request-id')

/** The id of the request for whose sake this code runs; undefined where there is none. */
export function requestId(): string | undefined {
  return storage().getStore()
}

/** One a process, whatever copies of this package there are. */
function storage(): AsyncLocalStorage<string> {
  const kept = globalThis as unknown as Record<symbol, AsyncLocalStorage<string> | undefined>
  const found = kept[storageSymbol]
  if (found !== undefined) return found
  const made = new AsyncLocalStorage<string>()
  Object.defineProperty(globalThis, storageSymbol, { value: made })
  return made
}

/** Has the ids of the app's requests carried along; answers how to stop that. */
export function carryRequestIds(app: FastifyInstance): () => void {
  const ids = storage()
  app.addHook('onRequest', ({ id }, _reply, done) => ids.run(id, done))
  // The parser of a body goes on in the context of the socket.
  app.addHook('preValidation', ({ id }, _reply, done) => ids.run(id, done))
  const inject = (message: unknown): void => {
    const id = ids.getStore()
    const { carrier } = message as { readonly carrier: Record<string, string> }
    if (id !== undefined && id.length <= longest) carrier[carried] = id
  }
  const extract = (message: unknown): void => {
    const { carrier, surround } = message as {
      readonly carrier: Carrier | undefined
      readonly surround: (around: Around) => void
    }
    const id = carrier?.[carried]
    if (id !== undefined) surround((work) => ids.run(id, work))
  }
  const heard = [
    [channel('tracing:fastify-ah-tasks:enqueue:start'), inject],
    [channel('tracing:fastify-ah-pubsub:publish:start'), inject],
    [channel('tracing:fastify-ah-pubsub:call:start'), inject],
    [channel('tracing:fastify-ah-tasks:job:start'), extract],
    [channel('tracing:fastify-ah-pubsub:deliver:start'), extract],
    [channel('tracing:fastify-ah-pubsub:handle:start'), extract],
  ] as const
  for (const [one, listener] of heard) one.subscribe(listener)
  return () => {
    for (const [one, listener] of heard) one.unsubscribe(listener)
  }
}
